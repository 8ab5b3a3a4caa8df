import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  type WakeEntry,
  type WakeLog,
  type WakeRecord,
  wakeRecordSchema,
} from '../../../lib/predictions/wake/wake-log.js';
import { parseStored } from '../../shared/parse-stored.js';
import { readPlainFile } from './read-plain-file.js';

/** Five numbers and two dates: a hundredth of this. */
const MAX_BYTES = 64 * 1024;

/**
 * The wakes of this process. The file is there so that the estimate survives a restart: a file that is
 * broken or cannot be written costs no more than that.
 */
export class FileWakeLog implements WakeLog {
  readonly #file: string;
  #record: WakeRecord | undefined;
  #version = 0;
  #saved: Promise<void> = Promise.resolve();

  private constructor(file: string, record: WakeRecord | undefined) {
    this.#file = file;
    this.#record = record;
  }

  static async open(file: string): Promise<FileWakeLog> {
    const record = await readRecord(file).catch(() => undefined);
    // A wake that was under way has ended with the process that had asked for it.
    return new FileWakeLog(file, record && { ...record, ready_at: record.ready_at ?? record.started_at });
  }

  async read(): Promise<WakeEntry | undefined> {
    return this.#entry();
  }

  async replace(record: WakeRecord, version: string | undefined): Promise<boolean> {
    if (version !== this.#entry()?.version) return false;
    this.#record = record;
    this.#version++;
    this.#saved = this.#saved.then(() => this.#save(record)).catch(() => undefined);
    await this.#saved;
    return true;
  }

  #entry(): WakeEntry | undefined {
    return this.#record && { record: this.#record, version: String(this.#version) };
  }

  async #save(record: WakeRecord): Promise<void> {
    const partial = `${this.#file}.partial`;
    await mkdir(dirname(this.#file), { recursive: true, mode: 0o700 });
    try {
      await writeFile(partial, JSON.stringify(record));
      await rename(partial, this.#file);
    } catch (error) {
      await rm(partial, { force: true });
      throw error;
    }
  }
}

async function readRecord(file: string): Promise<WakeRecord | undefined> {
  const bytes = await readPlainFile(file, MAX_BYTES);
  return bytes && wakeRecordSchema.parse(parseStored(bytes, file));
}
