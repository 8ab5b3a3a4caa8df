import {
  NEVER_WOKEN,
  type WakeEntry,
  type WakeLog,
  type WakeRecord,
  wakeRecordSchema,
} from '../../../../lib/predictions/wake/wake-log.js';
import { parseStored } from '../../parse-stored.js';
import type { S3Records } from './s3-records.js';

const KEY = 'wake.json';

/** The wake record as one object, replaced only by those who have seen its newest version. */
export class S3WakeLog implements WakeLog {
  readonly #records: S3Records;

  constructor(records: S3Records) {
    this.#records = records;
  }

  async read(): Promise<WakeEntry | undefined> {
    const stored = await this.#records.read(KEY);
    return stored && { record: readRecord(stored.bytes), version: stored.etag };
  }

  replace(record: WakeRecord, version: string | undefined): Promise<boolean> {
    const condition = version === undefined ? ({ IfNoneMatch: '*' } as const) : { IfMatch: version };
    return this.#records.write(KEY, record, condition);
  }
}

/** A record that is damaged is replaced by the next wake. */
function readRecord(bytes: Uint8Array): WakeRecord {
  try {
    return wakeRecordSchema.parse(parseStored(bytes, KEY));
  } catch {
    return NEVER_WOKEN;
  }
}
