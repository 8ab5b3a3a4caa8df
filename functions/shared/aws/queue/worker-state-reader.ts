import {
  WORKER_FRESH_MS,
  WORKER_STATE_KEY,
  type WorkerState,
  workerStateSchema,
} from '../../../../lib/schemas/worker-state.js';
import { parseStored } from '../../parse-stored.js';
import type { S3Records } from '../s3/s3-records.js';

/** What a worker last said of itself. */
export interface WorkerStateReader {
  /**
   * @returns undefined where none has said anything, or nothing that can be read
   * @throws AppError UNAVAILABLE
   */
  read(): Promise<WorkerState | undefined>;
}

/** `worker.json` beside the results. */
export class S3WorkerStateReader implements WorkerStateReader {
  readonly #records: Pick<S3Records, 'read'>;

  constructor(records: Pick<S3Records, 'read'>) {
    this.#records = records;
  }

  async read(): Promise<WorkerState | undefined> {
    const stored = await this.#records.read(WORKER_STATE_KEY);
    return stored && parseState(stored.bytes);
  }
}

/** A damaged object is replaced by the next heartbeat. */
function parseState(bytes: Uint8Array): WorkerState | undefined {
  try {
    return workerStateSchema.safeParse(parseStored(bytes, WORKER_STATE_KEY)).data;
  } catch {
    return undefined;
  }
}

/** Whether who wrote it is still there; clocks that differ a little make it no older. */
export function isFresh({ updated_at }: WorkerState, now: number): boolean {
  return now - Date.parse(updated_at) <= WORKER_FRESH_MS;
}
