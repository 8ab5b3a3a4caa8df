import type { Services } from '../services.js';

/** What becomes of a message: it is done, or it is to come again after a while. */
export type Verdict = { readonly done: true } | { readonly done: false; readonly retrySeconds: number };

export const DONE: Verdict = { done: true };

/** Seconds between looks at a sleeping endpoint: 60 receives of a message then make 20 minutes. */
export const COLD_RETRY_S = 20;

/** So long a request waits for an endpoint that is always busy: longer than any backlog that is meant. */
const BUSY_PATIENCE_MS = 6 * 3_600_000;

/** Whether a request of this age may wait on. Whoever asks must still be able to read how it ended. Milliseconds. */
export function mayWait(age: number, { retentionMs }: Services): boolean {
  return age < Math.min(BUSY_PATIENCE_MS, retentionMs / 2);
}
