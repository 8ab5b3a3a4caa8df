import { createHmac, timingSafeEqual } from 'node:crypto';
import {
  LINK_SECONDS,
  type LinkedPictures,
  type Links,
  type PictureLinks,
} from '../../../lib/predictions/picture-links.js';
import { formatOfName } from '../../../lib/predictions/records/kept-pictures.js';
import { predictionIdSchema } from '../../../lib/schemas/prediction.js';
import { ProblemError } from '../../shared/problem-response.js';

const EXPIRES = /^\d{1,12}$/;

export interface SignedLinksProps {
  readonly secret: Buffer;
  /** The service's URL without a slash at its end, for webhooks: nobody asks then. */
  readonly ownUrl: () => string;
  /** Milliseconds since 1970. @default Date.now */
  readonly now?: () => number;
}

/** A picture that an address leads to. */
export interface SignedPicture {
  readonly id: string;
  readonly name: string;
  /** How long its address lasts still. */
  readonly secondsLeft: number;
}

/** Addresses of pictures below `/pictures`: what S3's pre-signed ones are in AWS. */
export class SignedLinks implements PictureLinks {
  readonly #props: SignedLinksProps;
  readonly #now: () => number;

  constructor(props: SignedLinksProps) {
    this.#props = props;
    this.#now = props.now ?? Date.now;
  }

  async make({ id, names }: LinkedPictures, baseUrl = this.#props.ownUrl()): Promise<Links> {
    const expires = Math.floor(this.#now() / 1000) + LINK_SECONDS;
    const urls = names.map((name) => {
      const signature = this.#sign(id, name, expires).toString('base64url');
      return `${baseUrl}/pictures/${id}/${name}?expires=${expires}&signature=${signature}`;
    });
    return { urls, expiresAt: 1000 * expires };
  }

  /**
   * The picture that an address of ours leads to.
   *
   * @param id and `name` as its path has them
   * @throws ProblemError 403 for one that is not signed by this service, 410 for one that has expired
   */
  read(id: string, name: string, query: URLSearchParams): SignedPicture {
    const [expires = '', signature = ''] = [query.get('expires') ?? '', query.get('signature') ?? ''];
    const isNamed = predictionIdSchema.safeParse(id).success && formatOfName(name) !== undefined;
    const isSigned = isNamed && EXPIRES.test(expires) && this.#isSigned(id, name, expires, signature);
    if (!isSigned) throw new ProblemError(403, 'this address is not one that the service has given');
    const secondsLeft = Math.floor(Number(expires) - this.#now() / 1000);
    if (secondsLeft < 0)
      throw new ProblemError(410, 'this address has expired: ask for the prediction again');
    return { id, name, secondsLeft };
  }

  #isSigned(id: string, name: string, expires: string, signature: string): boolean {
    const wanted = this.#sign(id, name, Number(expires));
    const given = Buffer.from(signature, 'base64url');
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  }

  #sign(id: string, name: string, expires: number): Buffer {
    return createHmac('sha256', this.#props.secret).update(`${id}/${name}?${expires}`).digest();
  }
}
