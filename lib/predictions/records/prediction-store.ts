import type { RequestRecord, ResultEnd, ResultRecord, WebhookRecord } from '../../schemas/prediction.js';
import type { Claims } from './claims.js';
import type { KeptPicture } from './kept-pictures.js';
import type { OwnerIndex } from './owner-index.js';

/**
 * What has been accepted and what became of it. Everything but claims is written once: the first write stays, later ones
 * are told so. Reads see every write that has returned.
 *
 * Every method throws an `AppError`, UNAVAILABLE where asking again may help; those that read a record, an
 * `UnreadableRecord` where it is damaged.
 */
export interface PredictionStore extends Claims, OwnerIndex {
  /** @returns false when this id has one already */
  createRequest(record: RequestRecord): Promise<boolean>;
  readRequest(id: string): Promise<RequestRecord | undefined>;
  /** Notes that its message is in the queue. @returns false when that was known */
  markQueued(id: string): Promise<boolean>;
  isQueued(id: string): Promise<boolean>;
  /**
   * @param pictures stored before the record is, so that who reads it finds them. @default none
   * @returns false when this id has one already
   */
  createResult(id: string, record: ResultRecord, pictures?: readonly KeptPicture[]): Promise<boolean>;
  readResult(id: string): Promise<ResultRecord | undefined>;
  /** As `readResult`, without reading megabytes of pictures. */
  readEnd(id: string): Promise<ResultEnd | undefined>;
  /** Stores pictures of a prediction that has no record, or none yet. Those that are there stay. */
  createPictures(id: string, pictures: readonly KeptPicture[]): Promise<void>;
  readPicture(id: string, name: string): Promise<Uint8Array | undefined>;
  /** @returns false when this id has one already */
  createWebhook(id: string, record: WebhookRecord): Promise<boolean>;
  readWebhook(id: string): Promise<WebhookRecord | undefined>;
}
