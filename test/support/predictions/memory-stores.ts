import { MemoryClaims } from '../../../functions/home/records/memory-claims.js';
import type { PictureLinks } from '../../../lib/predictions/picture-links.js';
import type { KeptPicture } from '../../../lib/predictions/records/kept-pictures.js';
import type { PredictionStore } from '../../../lib/predictions/records/prediction-store.js';
import type { WakeEntry, WakeLog, WakeRecord } from '../../../lib/predictions/wake/wake-log.js';
import type {
  RequestRecord,
  ResultEnd,
  ResultRecord,
  WebhookRecord,
} from '../../../lib/schemas/prediction.js';

/** What S3 does: the first write stays, and every read sees it. */
export class MemoryPredictionStore extends MemoryClaims implements PredictionStore {
  readonly requests = new Map<string, RequestRecord>();
  readonly queued = new Set<string>();
  readonly results = new Map<string, ResultRecord>();
  readonly webhooks = new Map<string, WebhookRecord>();
  readonly owners = new Map<string, Set<string>>();
  /** By `id/name`. */
  readonly pictures = new Map<string, Uint8Array>();

  async createRequest(record: RequestRecord): Promise<boolean> {
    return create(this.requests, record.id, record);
  }

  async readRequest(id: string): Promise<RequestRecord | undefined> {
    return this.requests.get(id);
  }

  async markQueued(id: string): Promise<boolean> {
    return this.queued.size < this.queued.add(id).size;
  }

  async isQueued(id: string): Promise<boolean> {
    return this.queued.has(id);
  }

  async createResult(
    id: string,
    record: ResultRecord,
    pictures: readonly KeptPicture[] = [],
  ): Promise<boolean> {
    await this.createPictures(id, pictures);
    return create(this.results, id, record);
  }

  async readResult(id: string): Promise<ResultRecord | undefined> {
    return this.results.get(id);
  }

  async readEnd(id: string): Promise<ResultEnd | undefined> {
    const result = this.results.get(id);
    return result && { status: result.status, completed_at: result.completed_at };
  }

  async enlist(owner: string, name: string): Promise<void> {
    this.owners.set(owner, (this.owners.get(owner) ?? new Set()).add(name));
  }

  async listOwned(owner: string, limit: number, after = ''): Promise<readonly string[]> {
    return [...(this.owners.get(owner) ?? [])]
      .filter((name) => name > after)
      .sort()
      .slice(0, limit);
  }

  async createPictures(id: string, pictures: readonly KeptPicture[]): Promise<void> {
    for (const { name, bytes } of pictures) create(this.pictures, `${id}/${name}`, bytes);
  }

  async readPicture(id: string, name: string): Promise<Uint8Array | undefined> {
    return this.pictures.get(`${id}/${name}`);
  }

  async createWebhook(id: string, record: WebhookRecord): Promise<boolean> {
    return create(this.webhooks, id, record);
  }

  async readWebhook(id: string): Promise<WebhookRecord | undefined> {
    return this.webhooks.get(id);
  }

  /** Makes a prediction this much older. */
  age(id: string, milliseconds: number): void {
    const record = this.requests.get(id);
    if (!record) throw new Error(`there is no prediction ${id}`);
    const created_at = new Date(Date.parse(record.created_at) - milliseconds).toISOString();
    this.requests.set(id, { ...record, created_at });
  }
}

function create<T>(records: Map<string, T>, id: string, record: T): boolean {
  if (records.has(id)) return false;
  records.set(id, record);
  return true;
}

/** A record that is replaced only by those who have seen its newest version. */
export class MemoryWakeLog implements WakeLog {
  entry: WakeEntry | undefined;
  reads = 0;
  #writes = 0;

  async read(): Promise<WakeEntry | undefined> {
    this.reads++;
    return this.entry;
  }

  async replace(record: WakeRecord, version: string | undefined): Promise<boolean> {
    if (this.entry?.version !== version) return false;
    this.entry = { record, version: String(++this.#writes) };
    return true;
  }
}

/** Addresses that anybody could make: a test is no secret. They last a minute. */
export const MEMORY_LINKS: PictureLinks = {
  make: async ({ id, names }, baseUrl = 'https://own.test') => ({
    urls: names.map((name) => `${baseUrl}/memory/${id}/${name}`),
    expiresAt: Date.now() + 60_000,
  }),
};
