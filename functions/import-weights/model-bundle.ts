import { HeadObjectCommand, NotFound, type S3Client } from '@aws-sdk/client-s3';
import * as z from 'zod';
import { AppError } from '../../lib/errors/app-error.js';
import { importCheckpoint } from '../../lib/export/import-checkpoint.js';
import type { HubAccess } from '../../lib/weights/sources/hub/hub-client.js';
import { parseS3Url } from '../../lib/weights/sources/s3/s3-location.js';
import { deleteObjects } from '../shared/aws/s3/delete-objects.js';
import type { CustomResource } from '../shared/custom-resource.js';
import { log } from '../shared/log.js';
import { parseProperties } from '../shared/resource-properties.js';

/** CloudFormation makes a text of every value. */
const propertiesSchema = z.object({
  From: z.string().min(1),
  Taesd: z.string().min(1).optional(),
  Dialect: z.enum(['standard', 'cuda']),
  Precision: z.enum(['float16', 'float32']),
  Encoder: z.enum(['true', 'false']).default('false'),
  Bucket: z.string().min(3),
  /** Where a bundle is, and nothing else. */
  Prefix: z.string().regex(/^bundles\/\S+$/),
});

/** A bundle below its prefix: imported when it is not there, deleted with the resource. */
export function modelBundle(client: S3Client, hub: HubAccess): CustomResource {
  return {
    idOf(properties) {
      const { Bucket, Prefix } = parseProperties(propertiesSchema, properties);
      return `s3://${Bucket}/${Prefix}`;
    },
    async ensure(properties, { milliseconds }) {
      const wanted = parseProperties(propertiesSchema, properties);
      const to = `s3://${wanted.Bucket}/${wanted.Prefix}`;
      if (await isThere(client, wanted.Bucket, `${wanted.Prefix}/manifest.json`)) {
        log('info', 'the bundle is there already', { to });
        return;
      }
      await importWithin(milliseconds, { ...wanted, to }, hub);
    },
    async remove(id) {
      // By the id: what an update deletes is the old one, whatever the new properties are.
      const { bucket, prefix } = id.startsWith('s3://') ? parseS3Url(id) : { bucket: '', prefix: '' };
      if (!prefix.startsWith('bundles/')) return;
      const count = await deleteObjects(client, bucket, `${prefix}/`);
      log('info', 'the bundle is gone', { id, deleted: count });
    },
  };
}

async function isThere(client: S3Client, Bucket: string, Key: string): Promise<boolean> {
  try {
    await client.send(new HeadObjectCommand({ Bucket, Key }));
    return true;
  } catch (error) {
    if (error instanceof NotFound) return false;
    throw error;
  }
}

type Wanted = z.output<typeof propertiesSchema> & { readonly to: string };

async function importWithin(milliseconds: number, wanted: Wanted, hub: HubAccess): Promise<void> {
  const { From: from, Taesd: taesd, Dialect: dialect, Precision: precision, Encoder, to } = wanted;
  const progress = new Progress();
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(progress.tooSlow(milliseconds)), milliseconds);
  try {
    const onProgress = (done: number, total: number) => progress.update(done, total);
    const options = { from, to, taesd, dialect, precision, encoder: Encoder === 'true' };
    await importCheckpoint({ ...options, onProgress }, { hub, signal: stop.signal });
  } finally {
    clearTimeout(timer);
  }
}

/** A line in the log for each tenth. */
class Progress {
  #done = 0;
  #total = 0;
  #tenths = 0;

  update(done: number, total: number): void {
    [this.#done, this.#total] = [done, total];
    const tenths = Math.floor((10 * done) / Math.max(1, total));
    if (tenths === this.#tenths) return;
    this.#tenths = tenths;
    log('info', 'importing', { done, total });
  }

  tooSlow(milliseconds: number): AppError {
    const [done, total] = [this.#done, this.#total].map((bytes) => (bytes / 1e9).toFixed(2));
    const minutes = (milliseconds / 60_000).toFixed(1);
    return new AppError(
      'UNAVAILABLE',
      `the import took longer than ${minutes} minutes (${done} of ${total} GB): deploy again, or import from a computer ` +
        'with "sd-turbo import --to s3://..." and deploy with -c modelUri=s3://...',
    );
  }
}
