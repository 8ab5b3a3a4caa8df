import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { WholeDirectory } from '../../../lib/weights/bundle/whole-directory.js';
import { cannotMount, mountDisk, unmount } from '../../support/weights/mount-disk.js';

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

const manifest = (text: string) => JSON.stringify({ format: 'sd-turbo-bundle', text });
const fillWith = (text: string) => (folder: string) =>
  writeFile(join(folder, 'manifest.json'), manifest(text));
const read = (target: string) => JSON.parse(readFileSync(join(target, 'manifest.json'), 'utf8')).text;

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

  test('an empty directory is filled in place, and stays what it was', async () => {
    const { ino } = statSync(parent);
    mkdirSync(join(parent, 'lost+found'));
    await writeWhole(parent, async (folder) => {
      await fillWith('new')(folder);
      expect(dirname(folder)).toBe(parent);
      expect(existsSync(join(parent, 'manifest.json'))).toBe(false);
    });
    expect([read(parent), statSync(parent).ino]).toEqual(['new', ino]);
    expect(readdirSync(parent).sort()).toEqual(['lost+found', 'manifest.json']);
  });

  test('a directory with a bundle stays the same directory', async () => {
    await writeWhole(parent, fillWith('old'));
    const { ino } = statSync(parent);
    await writeWhole(`${parent}/./`, fillWith('new'));
    expect([read(parent), statSync(parent).ino]).toEqual(['new', ino]);
    expect(readdirSync(parent)).toEqual(['manifest.json']);
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

describe('what a killed process has left in a directory', () => {
  // No process has that number: Linux counts to 2^22.
  const id = '99999999-1700000000000-00000000-0000-0000-0000-000000000000';
  /** Each path with its text. */
  const lay = (files: Readonly<Record<string, string>>) => {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(parent, path)), { recursive: true });
      writeFileSync(join(parent, path), text);
    }
  };
  const tree = () => {
    const entries = readdirSync(parent, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => relative(parent, join(entry.parentPath ?? entry.path, entry.name)))
      .sort();
  };
  /** Begins an import and gives it up. */
  const look = () => WholeDirectory.open(parent).then((directory) => directory.discard());

  test('while it was filled: the directory is ours, and the next goes on with it', async () => {
    lay({ [`.partial-${id}/unet/weights`]: 'half' });
    await writeWhole(parent, async (folder) => {
      expect(readdirSync(folder)).toEqual(['unet']);
      await fillWith('new')(folder);
    });
    expect(tree()).toEqual(['manifest.json', 'unet/weights']);
  });

  test('while the old made way: it comes back', async () => {
    const old = manifest('old');
    lay({ [`.replacing-${id}/manifest.json`]: old, 'unet/weights': '', [`.partial-${id}/x`]: '' });
    await look();
    expect([read(parent), tree()]).toEqual(['old', ['manifest.json', 'unet/weights']]);
  });

  test('while the new took its place: it is there', async () => {
    const [old, fresh] = [manifest('old'), manifest('new')];
    lay({ [`.replaced-${id}/manifest.json`]: old, 'unet/weights': '' });
    lay({ [`.partial-${id}/manifest.json`]: fresh, [`.partial-${id}/vae/weights`]: '' });
    await look();
    expect([read(parent), tree()]).toEqual(['new', ['manifest.json', 'unet/weights', 'vae/weights']]);
  });

  test('what a running one has there is left alone', async () => {
    const other = `.partial-1-1700000000000-${id.slice(-36)}`;
    lay({ [`${other}/unet/weights`]: 'half' });
    await writeWhole(parent, fillWith('new'));
    expect(tree()).toEqual([`${other}/unet/weights`, 'manifest.json']);
  });

  test('the same number of another start, as in containers, is no running one', async () => {
    lay({ [`.partial-${process.pid}-1-${id.slice(-36)}/unet/weights`]: 'half' });
    await writeWhole(parent, fillWith('new'));
    expect(tree()).toEqual(['manifest.json', 'unet/weights']);
  });
});

describe.skipIf(cannotMount())('a mount point', () => {
  const disks: string[] = [];
  afterAll(() => disks.forEach(unmount));
  const disk = (bytes: number) => {
    mountDisk(parent, bytes);
    disks.push(parent);
    return parent;
  };

  test('is filled on its own disk, and an older bundle there is replaced', async () => {
    const target = disk(1 << 20);
    for (const text of ['old', 'new'])
      await writeWhole(target, async (folder) => {
        expect(statSync(folder).dev).toBe(statSync(target).dev);
        expect(statSync(folder).dev).not.toBe(statSync(scratch).dev);
        await fillWith(text)(folder);
      });
    expect([read(target), readdirSync(target)]).toEqual(['new', ['manifest.json']]);
  });

  test('a swap that the system refuses leaves the older bundle as it was', async () => {
    const target = parent;
    await writeWhole(target, fillWith('old'));
    // A mount point cannot be renamed.
    mkdirSync(join(target, 'unet'));
    mountDisk(join(target, 'unet'), 1 << 16);
    disks.push(join(target, 'unet'));
    await expect(writeWhole(target, fillWith('new'))).rejects.toThrow(/cannot be written: EBUSY/);
    expect([read(target), readdirSync(target).sort()]).toEqual(['old', ['manifest.json', 'unet']]);
  });
});

describe('refused before anything is written', () => {
  const never = () => expect.fail('the folder was filled');

  test('a directory of somebody else', async () => {
    writeFileSync(join(parent, 'mine.txt'), 'precious');
    const refused = writeWhole(parent, never);
    await expect(refused).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringMatching(/not empty/),
    });
    expect(readdirSync(parent)).toEqual(['mine.txt']);
  });

  test.each([
    ['of another program', '{"manifest_version": 3, "name": "an extension"}'],
    ['that is damaged', '{"format": "sd-turbo-bundle"'],
    ['that is none', '[]'],
  ])('a directory with a manifest %s', async (_, text) => {
    writeFileSync(join(parent, 'manifest.json'), text);
    const refused = writeWhole(parent, never);
    await expect(refused).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringMatching(/not a bundle/),
    });
    expect(readFileSync(join(parent, 'manifest.json'), 'utf8')).toBe(text);
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
    const refused = writeWhole(link, never);
    await expect(refused).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringMatching(/leads nowhere/),
    });
    expect(readdirSync(parent)).toEqual(['link']);
  });

  // The process file system takes no directories, not even of root.
  test.skipIf(!existsSync('/proc/self'))('a place where nothing can be made', async () => {
    const refused = writeWhole('/proc/nope/bundle', never);
    await expect(refused).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringMatching(/\/proc\/nope\/bundle/),
    });
  });
});
