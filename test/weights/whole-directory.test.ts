import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { WholeDirectory } from '../../lib/weights/whole-directory.js';

const scratch = mkdtempSync(join(tmpdir(), 'whole-'));
afterAll(() => rmSync(scratch, { recursive: true }));
let parent: string;
beforeEach(() => {
  parent = mkdtempSync(join(scratch, 'parent-'));
});

async function writeWhole(target: string, fill: (folder: string) => Promise<void>): Promise<void> {
  const directory = await WholeDirectory.open(target);
  try {
    await directory.writing(() => fill(directory.folder));
    await directory.publish();
  } catch (error) {
    await directory.discard();
    throw error;
  }
}

const fillWith = (text: string) => (folder: string) => writeFile(join(folder, 'manifest.json'), text);
const read = (target: string) => readFileSync(join(target, 'manifest.json'), 'utf8');

describe('WholeDirectory', () => {
  test('the target is absent while it is filled, then whole', async () => {
    const target = join(parent, 'a/b');
    await writeWhole(target, async (folder) => {
      await fillWith('new')(folder);
      expect(existsSync(target)).toBe(false);
    });
    expect(read(target)).toBe('new');
    expect(readdirSync(join(parent, 'a'))).toEqual(['b']);
  });

  test('an older bundle stays until the new one is whole, and then is gone with all its files', async () => {
    const target = join(parent, 'b');
    await writeWhole(target, fillWith('old'));
    writeFileSync(join(target, 'only-in-the-old'), '');
    await writeWhole(target, async (folder) => {
      await fillWith('new')(folder);
      expect(read(target)).toBe('old');
    });
    expect(readdirSync(target)).toEqual(['manifest.json']);
    expect(read(target)).toBe('new');
    expect(readdirSync(parent)).toEqual(['b']);
  });

  test('an empty directory is taken', async () => {
    await writeWhole(parent, fillWith('new'));
    expect(read(parent)).toBe('new');
  });

  test('a bundle behind a link is replaced where it is', async () => {
    const [real, link] = [join(parent, 'real'), join(parent, 'link')];
    await writeWhole(real, fillWith('old'));
    symlinkSync('real', link);
    await writeWhole(link, fillWith('new'));
    expect(read(real)).toBe('new');
    expect(readdirSync(parent).sort()).toEqual(['link', 'real']);
  });

  test.each(['old bundle', 'no bundle'])(
    'a failure while filling leaves nothing behind: %s',
    async (there) => {
      const target = join(parent, 'b');
      if (there === 'old bundle') await writeWhole(target, fillWith('old'));
      const failing = writeWhole(target, async (folder) => {
        await fillWith('half')(folder);
        throw new Error('the fill has failed');
      });
      await expect(failing).rejects.toThrow('the fill has failed');
      expect(readdirSync(parent)).toEqual(there === 'old bundle' ? ['b'] : []);
      if (there === 'old bundle') expect(read(target)).toBe('old');
    },
  );

  test('an error of the system while filling is one line with the target', async () => {
    const target = join(parent, 'b');
    const failing = writeWhole(target, (folder) => writeFile(join(folder, 'no/such/folder'), ''));
    await expect(failing).rejects.toMatchObject({
      name: 'AppError',
      code: 'INTERNAL',
      message: expect.stringMatching(/b cannot be written: ENOENT/),
    });
    expect(readdirSync(parent)).toEqual([]);
  });
});

describe('refused before anything is written', () => {
  const never = () => expect.fail('the folder was filled');

  test('a directory of somebody else', async () => {
    writeFileSync(join(parent, 'mine.txt'), 'precious');
    const refused = writeWhole(parent, never);
    await expect(refused).rejects.toMatchObject({ code: 'INVALID_INPUT', message: /not empty/ });
    expect(readdirSync(parent)).toEqual(['mine.txt']);
  });

  test('a file, and a place below a file', async () => {
    const file = join(parent, 'file');
    writeFileSync(file, 'precious');
    for (const target of [file, join(file, 'below'), join(file, 'far/below')]) {
      const refused = writeWhole(target, never);
      await expect(refused).rejects.toMatchObject({ name: 'AppError', code: 'INVALID_INPUT' });
      await expect(refused).rejects.toThrow(target);
    }
    expect(readFileSync(file, 'utf8')).toBe('precious');
  });

  test('a link that leads nowhere', async () => {
    const link = join(parent, 'link');
    symlinkSync('nothing', link);
    await expect(writeWhole(link, async () => undefined)).rejects.toMatchObject({ name: 'AppError' });
    expect(readdirSync(parent)).toEqual(['link']);
  });

  // The process file system takes no directories, not even of root.
  test.skipIf(!existsSync('/proc/self'))('a place where nothing can be made', async () => {
    const refused = writeWhole('/proc/nope/bundle', never);
    await expect(refused).rejects.toMatchObject({ code: 'INVALID_INPUT', message: /\/proc\/nope\/bundle/ });
  });
});
