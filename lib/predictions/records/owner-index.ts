import { createHash } from 'node:crypto';
import type { RequestRecord } from '../../schemas/prediction.js';
import { ENTRY_NAME } from '../../schemas/predictions/prediction-list.js';

/** More digits than milliseconds since 1970 have until the year 2286. */
const NEWEST_FIRST = 9_999_999_999_999;

/**
 * Which predictions are whose: an empty record for each, `owners/{owner}/{name}`, whose name says all that a list needs
 * to begin with. Names sort from the newest to the oldest.
 */
export interface OwnerIndex {
  /** Any number of times with the same effect as once. */
  enlist(owner: string, name: string): Promise<void>;
  /** @param after begins behind this name. @default with the newest */
  listOwned(owner: string, limit: number, after?: string): Promise<readonly string[]>;
}

export interface OwnedEntry {
  readonly name: string;
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly hasWebhook: boolean;
}

/** A caller's name as part of a path: whatever characters it has. */
export function ownerOf({ caller }: Pick<RequestRecord, 'caller'>): string {
  return createHash('sha256').update(caller).digest('hex').slice(0, 32);
}

export function entryName({ id, created_at, webhook }: RequestRecord): string {
  const digits = String(NEWEST_FIRST - Date.parse(created_at)).padStart(13, '0');
  return `${digits}-${id}${webhook === undefined ? '' : 'w'}`;
}

/** @returns undefined for what this project has not named */
export function parseEntry(name: string): OwnedEntry | undefined {
  const [, digits, id, webhook] = ENTRY_NAME.exec(name) ?? [];
  if (digits === undefined || id === undefined) return undefined;
  return { name, id, createdAt: NEWEST_FIRST - Number(digits), hasWebhook: webhook === 'w' };
}
