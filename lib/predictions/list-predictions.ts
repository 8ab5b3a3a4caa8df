import type { PredictionList, PredictionSummary } from '../schemas/predictions/prediction-list.js';
import { readOutcome, statusPath, webhookState } from './read-prediction.js';
import { type OwnedEntry, ownerOf, parseEntry } from './records/owner-index.js';
import { UnreadableRecord } from './records/unreadable-record.js';
import type { Services } from './services.js';

export interface ListPredictionsProps {
  readonly caller: string;
  readonly limit: number;
  /** Name of the last entry of the page before. @default begins with the newest */
  readonly after?: string | undefined;
}

/**
 * A page of what a caller has asked for and the service keeps, newest first, without pictures.
 *
 * @throws AppError UNAVAILABLE where the store fails
 */
export async function listPredictions(
  { caller, limit, after }: ListPredictionsProps,
  services: Services,
): Promise<PredictionList> {
  const { store, clock, retentionMs } = services;
  // One more than is shown says whether there are more.
  const names = await store.listOwned(ownerOf({ caller }), limit + 1, after);
  const oldest = clock.now() - retentionMs;
  const kept = names.flatMap((name) => parseEntry(name) ?? []).filter(({ createdAt }) => createdAt >= oldest);
  const shown = kept.slice(0, limit);
  const predictions = await Promise.all(shown.map((entry) => summarize(entry, services)));
  const last = kept.length > limit ? shown.at(-1) : undefined;
  return { predictions, ...(last && { next_cursor: last.name }) };
}

async function summarize(
  { id, createdAt, hasWebhook }: OwnedEntry,
  services: Services,
): Promise<PredictionSummary> {
  const created_at = new Date(createdAt).toISOString();
  const facts = { id, created_at, status_url: statusPath(id) };
  const end = await readEnd(id, services);
  if (!end) return { ...facts, ...webhookState(hasWebhook, undefined), status: 'queued' };
  const webhook = hasWebhook ? await readOutcome(id, services) : undefined;
  return { ...facts, ...webhookState(hasWebhook, webhook), ...end };
}

/** What is damaged has failed: whoever asks for it alone is told more. */
async function readEnd(
  id: string,
  { store, onEvent }: Services,
): Promise<Pick<PredictionSummary, 'status' | 'completed_at'> | undefined> {
  try {
    return await store.readEnd(id);
  } catch (error) {
    if (!(error instanceof UnreadableRecord)) throw error;
    onEvent({ kind: 'trouble', what: `prediction ${id} is listed as failed`, error });
    return { status: 'failed' };
  }
}
