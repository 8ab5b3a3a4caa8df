import { setTimeout as pause } from 'node:timers/promises';

const LIMIT_MS = 40_000;
const PAUSE_MS = 30;

/**
 * Waits for what must come true; how fast is no matter.
 *
 * @param limitMs below the test's own. @default 40,000
 */
export async function until(
  what: string,
  isTrue: () => boolean | Promise<boolean>,
  limitMs = LIMIT_MS,
): Promise<void> {
  for (const end = Date.now() + limitMs; !(await isTrue()); await pause(PAUSE_MS)) {
    if (Date.now() > end) throw new Error(`it did not happen: ${what}`);
  }
}
