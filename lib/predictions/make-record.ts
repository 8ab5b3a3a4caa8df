import { randomSeed } from '../random/random-seed.js';
import type { RequestRecord } from '../schemas/prediction.js';
import type { DrawRequest, PredictRequest } from '../schemas/request.js';
import { fingerprint } from './fingerprint.js';
import { newPredictionId, predictionIdOf, seedOf } from './records/prediction-id.js';
import type { Clock } from './services.js';
import { timestamp } from './work/conclude.js';

export interface RecordProps {
  readonly request: PredictRequest & Pick<DrawRequest, 'size'>;
  /** Who asks, as `RequestRecord.caller`. */
  readonly caller: string;
  /** `Idempotency-Key`. @default none */
  readonly key?: string;
  readonly requestId: string;
}

/** The record of a request that comes now: its id and its seed are settled by it. */
export function makeRecord({ request, caller, key, requestId }: RecordProps, clock: Clock): RequestRecord {
  const { webhook, response_format, ...wanted } = request;
  const origin = key === undefined ? undefined : { caller, key };
  return {
    id: origin ? predictionIdOf(origin) : newPredictionId(),
    caller,
    fingerprint: fingerprint(request),
    created_at: timestamp({ clock }),
    request_id: requestId,
    request: { ...wanted, seed: wanted.seed ?? (origin ? seedOf(origin) : randomSeed()) },
    ...(webhook === undefined ? {} : { webhook }),
    ...(response_format === undefined ? {} : { response_format }),
  };
}
