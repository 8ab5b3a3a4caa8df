import { AppError } from '../../../lib/errors/app-error.js';
import type { PredictionStore } from '../../../lib/predictions/records/prediction-store.js';
import type { SignedPicture } from './signed-links.js';

/** `GET /pictures/{id}/{name}`: the bytes of a picture whose address was signed. Any page may show it, as one on S3. */
export async function pictureRoute(
  { id, name, secondsLeft }: SignedPicture,
  store: Pick<PredictionStore, 'readPicture'>,
): Promise<Response> {
  const bytes = await store.readPicture(id, name);
  if (!bytes) throw new AppError('GONE', 'this picture has been deleted');
  const headers = {
    'content-type': `image/${name.split('.').at(-1)}`,
    'cache-control': `private, max-age=${secondsLeft}, immutable`,
    // Whatever the bytes are, nothing in them runs.
    'content-security-policy': "default-src 'none'; sandbox",
    'cross-origin-resource-policy': 'cross-origin',
    'x-content-type-options': 'nosniff',
  };
  return new Response(Uint8Array.from(bytes), { headers });
}
