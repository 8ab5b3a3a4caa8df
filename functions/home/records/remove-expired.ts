import type { FolderPredictionStore } from './folder-prediction-store.js';

/** So long an expired prediction can still be told from one that never was, as in the bucket. Milliseconds. */
const KNOWN_AS_EXPIRED_MS = 86_400_000;

export interface RemoveExpiredProps {
  readonly store: FolderPredictionStore;
  readonly retentionMs: number;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Told of what cannot be removed. */
  readonly onTrouble: (what: string, error: unknown) => void;
}

/** Deletes what expired a day ago. Never fails: it is tried again at the next sweep. */
export async function removeExpired({
  store,
  retentionMs,
  now,
  onTrouble,
}: RemoveExpiredProps): Promise<void> {
  try {
    const oldest = now - retentionMs - KNOWN_AS_EXPIRED_MS;
    await store.removeListed(oldest);
    for (const { id, changed } of await store.list()) {
      if (changed >= oldest) continue;
      await store.remove(id).catch((error) => onTrouble(`prediction ${id} has expired, and stays`, error));
    }
  } catch (error) {
    onTrouble('what has expired could not be removed', error);
  }
}
