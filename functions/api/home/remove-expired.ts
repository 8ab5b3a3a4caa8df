import type { FolderPredictionStore } from './folder-prediction-store.js';

/** So long an expired prediction can still be told from one that never was, as in the bucket. Milliseconds. */
const KNOWN_AS_EXPIRED_MS = 86_400_000;

/** Deletes what expired a day ago. */
export async function removeExpired(
  store: FolderPredictionStore,
  retentionMs: number,
  now: number,
): Promise<void> {
  for (const { id, changed } of await store.list()) {
    if (changed + retentionMs + KNOWN_AS_EXPIRED_MS < now) await store.remove(id);
  }
}
