import type { KeptPicture } from '../../../lib/predictions/records/kept-pictures.js';
import type { PredictionStore } from '../../../lib/predictions/records/prediction-store.js';
import type { ResultEnd, ResultRecord, WebhookRecord } from '../../../lib/schemas/prediction.js';

/** Pictures that wait for room. With so many nothing more is drawn: it could not be stored either. */
const MAX_HELD_RESULTS = 4;
/** What one record cannot be written for, no other can. */
const NO_RECORD_CAN = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'EMFILE', 'ENFILE']);

/** A result, and the pictures that belong to it. */
type Result = readonly [record: ResultRecord, pictures: readonly KeptPicture[]];

/**
 * The store as the worker has it: what cannot be written now is held in memory, and written when its message comes
 * again, so that a picture is not drawn, and a webhook not told, as often as a full disk is tried. Nobody is told of
 * what is held: a process that dies has it done again.
 */
export class HoldingStore implements PredictionStore {
  readonly createRequest: PredictionStore['createRequest'];
  readonly readRequest: PredictionStore['readRequest'];
  readonly markQueued: PredictionStore['markQueued'];
  readonly isQueued: PredictionStore['isQueued'];
  readonly readClaim: PredictionStore['readClaim'];
  readonly replaceClaim: PredictionStore['replaceClaim'];
  readonly enlist: PredictionStore['enlist'];
  readonly listOwned: PredictionStore['listOwned'];
  readonly createPictures: PredictionStore['createPictures'];
  readonly readPicture: PredictionStore['readPicture'];
  readonly #store: PredictionStore;
  readonly #results = new Map<string, Result>();
  readonly #webhooks = new Map<string, WebhookRecord>();

  constructor(store: PredictionStore) {
    this.#store = store;
    this.createRequest = (record) => store.createRequest(record);
    this.readRequest = (id) => store.readRequest(id);
    this.markQueued = (id) => store.markQueued(id);
    this.isQueued = (id) => store.isQueued(id);
    this.readClaim = (id) => store.readClaim(id);
    this.replaceClaim = (id, state, version) => store.replaceClaim(id, state, version);
    this.enlist = (owner, name) => store.enlist(owner, name);
    this.listOwned = (owner, limit, after) => store.listOwned(owner, limit, after);
    this.createPictures = (id, pictures) => store.createPictures(id, pictures);
    this.readPicture = (id, name) => store.readPicture(id, name);
  }

  /** @throws AppError UNAVAILABLE also where nothing can be written: what follows would be done in vain */
  async readResult(id: string): Promise<ResultRecord | undefined> {
    const held = this.#results.get(id);
    if (held) await this.#write(id, held);
    else if (this.#results.size >= MAX_HELD_RESULTS) await this.#makeRoom();
    return this.#store.readResult(id);
  }

  readEnd(id: string): Promise<ResultEnd | undefined> {
    return this.readResult(id);
  }

  createResult(id: string, record: ResultRecord, pictures: readonly KeptPicture[] = []): Promise<boolean> {
    return this.#write(id, [record, pictures]);
  }

  async readWebhook(id: string): Promise<WebhookRecord | undefined> {
    const held = this.#webhooks.get(id);
    if (held) await this.createWebhook(id, held);
    return this.#store.readWebhook(id);
  }

  createWebhook(id: string, record: WebhookRecord): Promise<boolean> {
    return hold(this.#webhooks, id, record, (first) => this.#store.createWebhook(id, first));
  }

  #write(id: string, result: Result): Promise<boolean> {
    return hold(this.#results, id, result, (first) => this.#store.createResult(id, ...first));
  }

  async #makeRoom(): Promise<void> {
    const [oldest] = this.#results;
    if (!oldest) return;
    const [id, result] = oldest;
    await this.#write(id, result).catch((error) => {
      if (NO_RECORD_CAN.has(error.cause?.code)) throw error;
      // It is this one only, and must not keep the others from being drawn: it is drawn again.
      this.#results.delete(id);
    });
  }
}

/** Writes a record, or the one that is held of this prediction already: the first stays. Holds it where that fails. */
async function hold<T>(
  held: Map<string, T>,
  id: string,
  record: T,
  write: (record: T) => Promise<boolean>,
): Promise<boolean> {
  const first = held.get(id) ?? record;
  held.set(id, first);
  const isWritten = await write(first);
  held.delete(id);
  return isWritten && first === record;
}
