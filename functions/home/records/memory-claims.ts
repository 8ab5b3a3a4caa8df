import type { Claim, ClaimState, Claims } from '../../../lib/predictions/records/claims.js';

/**
 * Claims of this process, which is the only one that draws and cancels from its folder. Those of one that died are nobody's:
 * what it was drawing is drawn again, and what it said is canceled has a result that says so.
 */
export class MemoryClaims implements Claims {
  readonly #claims = new Map<string, Claim>();
  #writes = 0;

  async readClaim(id: string): Promise<Claim | undefined> {
    return this.#claims.get(id);
  }

  async replaceClaim(
    id: string,
    state: ClaimState,
    version: string | undefined,
  ): Promise<string | undefined> {
    if (this.#claims.get(id)?.version !== version) return undefined;
    const written = String(++this.#writes);
    this.#claims.set(id, { state, version: written });
    return written;
  }

  /** It has ended. Who was about to draw what has just been canceled asks still. */
  ended(id: string): void {
    if (this.#claims.get(id)?.state !== 'canceled') this.#claims.delete(id);
  }

  /** There is no such prediction any more. */
  forget(id: string): void {
    this.#claims.delete(id);
  }
}
