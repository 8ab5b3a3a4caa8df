import type { GenerateRequest } from '../schemas/request.js';
import type { ApiServices } from './delivery/delivery.js';
import type { EndpointAnswer } from './endpoint.js';
import { makeRecord } from './make-record.js';

export interface DrawNowProps {
  readonly request: GenerateRequest;
  /** Who asks, as `RequestRecord.caller`. */
  readonly caller: string;
  /** How long the caller waits for the picture. Milliseconds. */
  readonly waitMs: number;
  readonly requestId: string;
  /** Aborted when the caller has gone. */
  readonly signal: AbortSignal;
}

/**
 * A request that is drawn now, or its caller asks again: nobody finds its picture later. A cold endpoint is woken for that.
 *
 * @throws EndpointError, PredictionFailed, or AppError UNAVAILABLE
 */
export async function drawNow(props: DrawNowProps, services: ApiServices): Promise<EndpointAnswer> {
  const { waitMs, signal } = props;
  const { clock, delivery } = services;
  const record = makeRecord(props, clock);
  const deadline = clock.now() + waitMs;
  return delivery.drawNow({ record, stored: false, deadline, patient: true, signal }, services);
}
