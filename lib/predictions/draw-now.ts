import type { DrawRequest } from '../schemas/request.js';
import type { ApiServices } from './delivery/delivery.js';
import type { EndpointAnswer } from './endpoint.js';
import { makeRecord } from './make-record.js';

export interface DrawNowProps {
  readonly request: DrawRequest;
  /** Who asks, as `RequestRecord.caller`. */
  readonly caller: string;
  /** How long the caller waits for the picture. Milliseconds. */
  readonly waitMs: number;
  readonly requestId: string;
  /** Aborted when the caller has gone. */
  readonly signal: AbortSignal;
}

export interface DrawnNow extends EndpointAnswer {
  /** Under which its pictures may be stored. */
  readonly id: string;
}

/**
 * A request that is drawn now, or its caller asks again: nobody finds its picture later. A cold endpoint is woken for that.
 *
 * @throws EndpointError, PredictionFailed, or AppError UNAVAILABLE
 */
export async function drawNow(props: DrawNowProps, services: ApiServices): Promise<DrawnNow> {
  const { waitMs, signal } = props;
  const { clock, delivery } = services;
  const record = makeRecord(props, clock);
  const deadline = clock.now() + waitMs;
  const parcel = { record, stored: false, deadline, patient: true, signal };
  return { id: record.id, ...(await delivery.drawNow(parcel, services)) };
}
