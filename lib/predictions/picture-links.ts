import type { GenerateAnswer, LinkedAnswer } from '../schemas/answer.js';
import type { StoredAnswer } from '../schemas/prediction.js';
import { pictureName } from './records/kept-pictures.js';

/** So long an address lasts: for whoever fetches it when a program or a page is done. Seconds. */
export const LINK_SECONDS = 3600;

/** Files beside the records of a prediction. */
export interface LinkedPictures {
  readonly id: string;
  readonly names: readonly string[];
}

export interface Links {
  /** In the order of the names. */
  readonly urls: readonly string[];
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** Makes addresses of pictures that need no key and expire. */
export interface PictureLinks {
  /**
   * Also of pictures that are not there yet: an address promises nothing.
   *
   * @param baseUrl the service's own, as the one who asks knows it, without a slash at its end. @default as it knows itself
   * @throws AppError UNAVAILABLE
   */
  make(pictures: LinkedPictures, baseUrl?: string): Promise<Links>;
}

/**
 * An answer as it goes out: addresses, signed anew, in the place of pictures that lie in the store.
 *
 * @param baseUrl as `PictureLinks.make`
 * @throws AppError UNAVAILABLE
 */
export async function linkAnswer(
  id: string,
  answer: StoredAnswer,
  links: PictureLinks,
  baseUrl?: string,
): Promise<GenerateAnswer | LinkedAnswer> {
  if (!('pictures' in answer)) return answer;
  const { pictures: count, ...about } = answer;
  const names = Array.from({ length: count }, (_, index) => pictureName(index, answer.output_format));
  const { urls, expiresAt } = await links.make({ id, names }, baseUrl);
  return { urls: [...urls], urls_expire_at: new Date(expiresAt).toISOString(), ...about };
}
