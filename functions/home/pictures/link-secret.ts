import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import * as z from 'zod';
import { AppError } from '../../../lib/errors/app-error.js';
import { parseStored } from '../../shared/parse-stored.js';
import { readPlainFile } from '../records/read-plain-file.js';
import { writeOnce } from '../records/write-once.js';

/** As long as the hash that it is for. */
const SECRET_BYTES = 32;
const MAX_FILE_BYTES = 1024;

const fileSchema = z.object({ secret: z.base64().length(4 * Math.ceil(SECRET_BYTES / 3)) });

/**
 * What addresses of pictures are signed with: made at the first start, and kept in the service's folder, so that they
 * outlive a restart. Only this user may read it.
 *
 * @throws AppError INVALID_INPUT where the file is there and is not one
 */
export async function linkSecret(folder: string): Promise<Buffer> {
  const file = join(folder, 'links.json');
  try {
    const secret = randomBytes(SECRET_BYTES).toString('base64');
    await writeOnce(file, JSON.stringify({ secret }));
    const bytes = (await readPlainFile(file, MAX_FILE_BYTES)) ?? new Uint8Array();
    return Buffer.from(fileSchema.parse(parseStored(bytes, file)).secret, 'base64');
  } catch (cause) {
    throw new AppError('INVALID_INPUT', `${file} cannot be used: delete it, and a new one is made`, {
      cause,
    });
  }
}
