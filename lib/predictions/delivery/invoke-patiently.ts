import type { SeededRequest } from '../../schemas/prediction.js';
import { type EndpointAnswer, EndpointError, PASSING_FAULTS, type PushedEndpoint } from '../endpoint.js';
import { noteBadNumbers } from '../note-bad-numbers.js';
import type { Services } from '../services.js';
import { noteReady } from '../wake/wake-endpoint.js';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;

export interface InvokePatientlyProps {
  readonly endpoint: PushedEndpoint;
  readonly request: SeededRequest;
  readonly requestId: string;
  /** When the caller's patience ends. Milliseconds since 1970. */
  readonly deadline: number;
  /** Aborted when the caller has gone. */
  readonly signal: AbortSignal;
}

/**
 * Invokes the endpoint, again while it is busy, with exponential pauses and full jitter.
 *
 * @throws EndpointError the last one; `timeout` also when the deadline came first
 */
export async function invokePatiently(
  props: InvokePatientlyProps,
  services: Services,
): Promise<EndpointAnswer> {
  const { clock, onEvent } = services;
  const { endpoint, request, requestId, deadline, signal } = props;
  for (let ceiling = FIRST_PAUSE_MS; ; ceiling = Math.min(LONGEST_PAUSE_MS, ceiling * 2)) {
    const left = deadline - clock.now();
    const attempt = AbortSignal.any([signal, clock.timeout(Math.max(1, left))]);
    try {
      const drawn = await endpoint.invoke(request, { requestId, signal: attempt });
      onEvent({ kind: 'drawn', timings: drawn.timings });
      await noteReady(services);
      return drawn;
    } catch (error) {
      noteBadNumbers(error, services);
      const passes = error instanceof EndpointError && PASSING_FAULTS.has(error.fault);
      const pause = clock.random() * ceiling;
      if (!passes || signal.aborted || clock.now() + pause >= deadline) throw error;
      await clock.sleep(pause, signal);
    }
  }
}
