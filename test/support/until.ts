import { setTimeout as pause } from 'node:timers/promises';

const LIMIT_MS = 40_000;
const PAUSE_MS = 30;

/** Waits for what must come true; how fast is no matter. */
export async function until(what: string, isTrue: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + LIMIT_MS; !(await isTrue()); await pause(PAUSE_MS)) {
    if (Date.now() > end) throw new Error(`it did not happen: ${what}`);
  }
}
