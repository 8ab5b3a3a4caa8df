import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { AppError } from '../../../../lib/errors/app-error.js';
import {
  LINK_SECONDS,
  type LinkedPictures,
  type Links,
  type PictureLinks,
} from '../../../../lib/predictions/picture-links.js';
import { pictureKey } from './s3-prediction-store.js';

/**
 * Pre-signed addresses of pictures in a bucket. They carry the right of whoever signs, and end with his session: where it
 * is known when that is, they say no later time. Lambda does not tell; its sessions are made for hours.
 */
export class S3PictureLinks implements PictureLinks {
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #now: () => number;

  constructor(client: S3Client, bucket: string, now: () => number = Date.now) {
    this.#client = client;
    this.#bucket = bucket;
    this.#now = now;
  }

  async make({ id, names }: LinkedPictures): Promise<Links> {
    try {
      const { expiration } = await this.#client.config.credentials();
      const now = this.#now();
      const session = expiration ? Math.floor((expiration.getTime() - now) / 1000) : LINK_SECONDS;
      const expiresIn = Math.max(1, Math.min(LINK_SECONDS, session));
      const urls = await Promise.all(
        names.map((name) =>
          getSignedUrl(
            this.#client,
            new GetObjectCommand({
              Bucket: this.#bucket,
              Key: pictureKey(id, name),
              ResponseCacheControl: `private, max-age=${expiresIn}, immutable`,
            }),
            { expiresIn, signingDate: new Date(now) },
          ),
        ),
      );
      return { urls, expiresAt: now + 1000 * expiresIn };
    } catch (cause) {
      throw new AppError('UNAVAILABLE', 'the addresses of the pictures could not be signed', { cause });
    }
  }
}
