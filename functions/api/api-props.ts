import type { ApiServices } from '../../lib/predictions/delivery/delivery.js';
import type { Decoder } from '../../lib/schemas/request.js';
import type { Telemetry } from '../shared/telemetry.js';

export interface ApiProps {
  readonly services: ApiServices;
  readonly telemetry: Telemetry;
  /** Who asks: neither a key nor anything that a key can be found from. `env` is what the platform adds. */
  readonly caller: (request: Request, env: unknown) => string;
  /** The service's public URL without a slash at its end. */
  readonly baseUrl: (request: Request, env: unknown) => string;
  /**
   * Throws a `ProblemError` 401 unless the request has a key that is good.
   *
   * @default no check: API Gateway has made it
   */
  readonly authenticate?: (request: Request) => void;
  /** Of requests that name none. @default 'vae' */
  readonly decoder?: Decoder;
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
