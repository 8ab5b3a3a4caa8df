import { randomSeed } from '../random/random-seed.js';
import type { GenerateRequest } from '../schemas/request.js';
import { type EndpointAnswer, EndpointError } from './endpoint.js';
import { invokePatiently } from './invoke-patiently.js';
import type { Services } from './services.js';
import { wakeEndpoint } from './wake/wake-endpoint.js';

export interface DrawNowProps {
  readonly request: GenerateRequest;
  /** How long the caller waits for the picture. Milliseconds. */
  readonly waitMs: number;
  readonly requestId: string;
  /** Aborted when the caller has gone. */
  readonly signal: AbortSignal;
}

/**
 * A request that is never kept: it is drawn now, or its caller asks again. A cold endpoint is woken for that.
 *
 * @throws EndpointError
 */
export async function drawNow(props: DrawNowProps, services: Services): Promise<EndpointAnswer> {
  const { waitMs, requestId, signal } = props;
  const request = { ...props.request, seed: props.request.seed ?? randomSeed() };
  const deadline = services.clock.now() + waitMs;
  try {
    return await invokePatiently({ request, requestId, deadline, signal }, services);
  } catch (error) {
    if (error instanceof EndpointError && error.fault === 'cold') await wakeEndpoint(services);
    throw error;
  }
}
