import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { checkSpace } from '../../../lib/weights/disk/check-space.js';

/** Every Linux has this memory file system, open to all. */
const SHM = '/dev/shm';

const made: string[] = [];
afterAll(() => {
  for (const folder of made) rmSync(folder, { recursive: true });
});
function makeFolder(below: string): string {
  const folder = mkdtempSync(join(below, 'check-space-'));
  made.push(folder);
  return folder;
}

const FILES = [{ path: 'weights.bin', size: 3_000_000 }];

test('a disk has to have room, whatever the memory', async () => {
  await checkSpace(makeFolder(tmpdir()), FILES, 'here', () => Number.MAX_SAFE_INTEGER);
  await expect(
    checkSpace(makeFolder(tmpdir()), [{ path: 'x', size: 2 ** 52 }], 'here'),
  ).rejects.toMatchObject({
    message: expect.stringMatching(
      /^not enough disk space for here: \d+ MB more are needed, \d+ MB are free$/,
    ),
    retryable: false,
  });
});

test.skipIf(!existsSync(SHM))('a folder in memory has to have memory', async () => {
  const folder = makeFolder(SHM);
  await checkSpace(folder, FILES);
  await expect(checkSpace(folder, FILES, 'here', () => 2_000_000)).rejects.toMatchObject({
    message: 'not enough memory for here: 3 MB more are needed, 2 MB are free',
    retryable: false,
  });
  // What is there already takes no more of it.
  writeFileSync(join(folder, 'weights.bin'), Buffer.alloc(3_000_000));
  await checkSpace(folder, FILES, 'here', () => 2_000_000);
});
