import type { ApiServices } from '../../lib/predictions/delivery/delivery.js';
import type { Decoder } from '../../lib/schemas/request.js';
import type { Telemetry } from '../shared/telemetry.js';
import type { EventStreamsProps } from './events/event-streams.js';

export interface ApiProps {
  readonly services: ApiServices;
  readonly telemetry: Telemetry;
  /**
   * Who asks, and owns what they ask for: neither a key nor anything that a key can be found from. `env` is what the
   * platform adds.
   *
   * @throws ProblemError 401 or 429 unless the request has a key that is good; in AWS the gateway has checked it
   */
  readonly caller: (request: Request, env: unknown) => string | Promise<string>;
  /** The service's public URL without a slash at its end. */
  readonly baseUrl: (request: Request, env: unknown) => string;
  /** Of requests that name none. @default 'vae' */
  readonly decoder?: Decoder;
  /** Of `GET /predictions/{id}`. @default every default */
  readonly streams?: EventStreamsProps;
  /** Of pages elsewhere that may ask, as `corsOriginsSchema` gives them. @default none */
  readonly corsOrigins?: readonly string[];
}

/** One request on its way through a route. */
export interface RouteContext {
  readonly props: ApiProps;
  readonly request: Request;
  readonly requestId: string;
  readonly caller: string;
  readonly baseUrl: string;
}

/** What a request has where it says nothing, as fields of a request. */
export function decoderOf({ decoder }: Pick<ApiProps, 'decoder'>): { readonly decoder?: Decoder } {
  return decoder === undefined ? {} : { decoder };
}
