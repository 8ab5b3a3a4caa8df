import { randomUUID } from 'node:crypto';
import { link, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SELF_TEST_NAME } from '../../schemas/self-test.js';
import { diskError } from '../disk/disk-error.js';
import { PARTIAL_SUFFIX } from '../disk/partial-file.js';

/**
 * Writes the record of a bundle's picture where there is none.
 *
 * @returns false where there is one already: it stays
 * @throws AppError where writing is refused
 */
export type WriteSelfTest = (text: string) => Promise<boolean>;

export function selfTestInDirectory(directory: string): WriteSelfTest {
  const path = join(directory, SELF_TEST_NAME);
  return async (text) => {
    const partial = `${path}.${randomUUID()}${PARTIAL_SUFFIX}`;
    try {
      await writeFile(partial, text);
      // Unlike a rename, a link never replaces anything.
      await link(partial, path);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw diskError(path, error as NodeJS.ErrnoException);
    } finally {
      await rm(partial, { force: true });
    }
  };
}
