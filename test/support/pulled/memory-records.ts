import type { Condition, StoredRecord } from '../../../functions/shared/aws/s3/s3-records.js';

/** Small objects as S3 keeps them, with the conditions of writes. */
export class MemoryRecords {
  readonly #objects = new Map<string, StoredRecord>();
  #writes = 0;

  read(key: string): StoredRecord | undefined {
    return this.#objects.get(key);
  }

  write(key: string, value: unknown, condition?: Condition): boolean {
    const known = this.#objects.get(key);
    if (condition && 'IfMatch' in condition && known?.etag !== condition.IfMatch) return false;
    if (condition && 'IfNoneMatch' in condition && known) return false;
    const bytes = new TextEncoder().encode(JSON.stringify(value));
    this.#objects.set(key, { bytes, etag: String(++this.#writes) });
    return true;
  }
}
