import { EndpointError } from './endpoint.js';
import type { Services } from './services.js';

/** Tells of a model that has gone wrong: a person should look at it, whatever becomes of the request. */
export function noteBadNumbers(error: unknown, { onEvent }: Services): void {
  if (error instanceof EndpointError && error.fault === 'numbers') onEvent({ kind: 'bad-numbers' });
}
