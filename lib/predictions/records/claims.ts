/**
 * In whose hands a prediction is that has not ended:
 *
 * - `open`: in nobody's; it was drawn for a moment, and there was no room
 * - `drawing`: somebody draws it, and nobody can cancel it any more
 * - `canceled`: nobody draws it any more
 */
export const CLAIM_STATES = ['open', 'drawing', 'canceled'] as const;
export type ClaimState = (typeof CLAIM_STATES)[number];

export interface Claim {
  readonly state: ClaimState;
  /** What the claim must still be for a write to replace it. Each write makes another one. */
  readonly version: string;
}

/** One small record for each prediction, by which whoever draws and whoever cancels keep out of each other's way. */
export interface Claims {
  /** @returns undefined where nobody has claimed it yet */
  readClaim(id: string): Promise<Claim | undefined>;
  /**
   * @param version of the claim that is replaced; undefined where there must be none
   * @returns that of the new one; undefined where somebody else was faster: nothing is written then
   */
  replaceClaim(id: string, state: ClaimState, version: string | undefined): Promise<string | undefined>;
}
