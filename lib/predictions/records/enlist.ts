import type { RequestRecord } from '../../schemas/prediction.js';
import type { Services } from '../services.js';
import { entryName, ownerOf } from './owner-index.js';

/** Makes a prediction one of those that its owner is shown. Never fails: it can be asked for by its id all the same. */
export async function enlist(record: RequestRecord, { store, onEvent }: Services): Promise<void> {
  try {
    await store.enlist(ownerOf(record), entryName(record));
  } catch (error) {
    onEvent({ kind: 'trouble', what: `prediction ${record.id} is in no list`, error });
  }
}
