import * as z from 'zod';

export const wakeRecordSchema = z.strictObject({
  /** When the newest wake was asked for. */
  started_at: z.iso.datetime(),
  /** When the endpoint was first seen to work after it; null while it has not been. */
  ready_at: z.iso.datetime().nullable(),
  /** How long the last few wakes took, newest first. Seconds. */
  recent_seconds: z.array(z.number().min(0)),
  /** How often in a row it was woken again because it had gone to sleep with work left. */
  restarts: z.int().min(0).optional(),
});

export type WakeRecord = z.infer<typeof wakeRecordSchema>;

const LONG_AGO = new Date(0).toISOString();

/** What stands for a record that nobody has, or nobody can read: it keeps nobody from waking the endpoint. */
export const NEVER_WOKEN: WakeRecord = { started_at: LONG_AGO, ready_at: LONG_AGO, recent_seconds: [] };

export interface WakeEntry {
  readonly record: WakeRecord;
  /** What the record must still be for a write to replace it. */
  readonly version: string;
}

/** One small record that everybody who may wake the endpoint shares. */
export interface WakeLog {
  read(): Promise<WakeEntry | undefined>;
  /**
   * @param version of the record that is replaced; undefined where there must be none
   * @returns false when somebody else was faster: nothing is written then
   */
  replace(record: WakeRecord, version: string | undefined): Promise<boolean>;
}
