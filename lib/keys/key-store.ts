import type { Quota } from './key-file.js';

/** What a key may do; what is not said is as its service has it for all. */
export interface KeyLimits {
  readonly quota?: Quota | undefined;
  /** Requests a second, and twice as many at once. */
  readonly rate?: number | undefined;
}

export interface KeyInfo extends KeyLimits {
  readonly name: string;
  /** ISO 8601. @default not known */
  readonly createdAt?: string;
}

/** The keys of one service, by name. Each method throws an `AppError`. */
export interface KeyStore {
  /**
   * Makes a key.
   *
   * @returns its value, which nobody can be shown again
   * @throws AppError CONFLICT where there is one of this name
   */
  add(name: string, limits: KeyLimits): Promise<string>;
  list(): Promise<readonly KeyInfo[]>;
  /** @throws AppError NOT_FOUND */
  remove(name: string): Promise<void>;
}
