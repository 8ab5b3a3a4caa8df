import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { findOutput } from '../../lib/cli/draw/output.js';
import { nameOutputs } from '../../lib/cli/draw/output-files.js';
import { writeOutput } from '../../lib/cli/draw/write-output.js';
import { cannotMount, mountDisk, mountOnto, unmount } from '../support/weights/mount-disk.js';

const scratch = mkdtempSync(join(tmpdir(), 'output-'));
afterAll(() => rmSync(scratch, { recursive: true }));
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(scratch, 'folder-'));
});

const at = (name: string) => join(folder, name);
const read = (name: string) => readFileSync(at(name), 'utf8');
const write = async (path: string, text: string) => writeOutput(await findOutput(path), Buffer.from(text));

describe('a link', () => {
  test('stays, and what is at the end of a chain of them changes', async () => {
    mkdirSync(at('far'));
    writeFileSync(at('far/picture'), 'old');
    symlinkSync('picture', at('far/inner'));
    symlinkSync('far/inner', at('outer'));
    await write(at('outer'), 'new');
    expect([read('far/picture'), read('outer')]).toEqual(['new', 'new']);
    for (const link of ['outer', 'far/inner']) expect(lstatSync(at(link)).isSymbolicLink()).toBe(true);
    expect(readdirSync(at('far')).sort()).toEqual(['inner', 'picture']);
  });

  test('that leads nowhere yet: its target is made', async () => {
    mkdirSync(at('far'));
    symlinkSync('far/picture', at('link'));
    await write(at('link'), 'new');
    expect([read('far/picture'), lstatSync(at('link')).isSymbolicLink()]).toEqual(['new', true]);
  });

  test('to a folder: `..` behind it is the folder that the system means', async () => {
    mkdirSync(at('far/below'), { recursive: true });
    symlinkSync('far/below', at('link'));
    await write(`${folder}/link/../picture`, 'new');
    expect([existsSync(at('picture')), read('far/picture')]).toEqual([false, 'new']);
  });

  test.each([
    ['to itself', 'link', /link is a link that leads to itself \(ELOOP\)/],
    [
      'into a folder that is not there',
      'nowhere/picture',
      /directory .*nowhere cannot be written \(ENOENT\)/,
    ],
    ['to a folder', '.', /must name a file, not the directory .*link/],
  ])('%s is refused', async (_, to, message) => {
    symlinkSync(to, at('link'));
    await expect(findOutput(at('link'))).rejects.toThrow(message);
    await expect(findOutput(at('link'))).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    expect(readdirSync(folder)).toEqual(['link']);
  });
});

describe('a file', () => {
  test('keeps its mode and is another file then: whoever reads the old one goes on', async () => {
    writeFileSync(at('picture'), 'old');
    chmodSync(at('picture'), 0o600);
    const { ino } = statSync(at('picture'));
    await write(at('picture'), 'new');
    expect(read('picture')).toBe('new');
    expect(statSync(at('picture')).mode & 0o777).toBe(0o600);
    expect(statSync(at('picture')).ino).not.toBe(ino);
    expect(readdirSync(folder)).toEqual(['picture']);
  });

  test('that has two names keeps both', async () => {
    writeFileSync(at('picture'), 'a longer old text');
    linkSync(at('picture'), at('other'));
    await write(at('picture'), 'new');
    expect([read('picture'), read('other')]).toEqual(['new', 'new']);
  });

  test('may have the longest name there is', async () => {
    const name = `${'n'.repeat(251)}.png`;
    await write(at(name), 'new');
    expect(readdirSync(folder)).toEqual([name]);
    await expect(findOutput(at(`n${name}`))).rejects.toThrow('ENAMETOOLONG');
  });

  test.skipIf(process.getuid?.() === 0)('that is read-only is refused beforehand', async () => {
    writeFileSync(at('picture'), 'old');
    chmodSync(at('picture'), 0o400);
    await expect(findOutput(at('picture'))).rejects.toThrow('picture cannot be written (EACCES)');
  });
});

describe.skipIf(process.platform === 'win32')('what is neither file nor folder is written into', () => {
  test('a pipe', async () => {
    execFileSync('mkfifo', [at('pipe')]);
    const [text] = await Promise.all([readFile(at('pipe'), 'utf8'), write(at('pipe'), 'new')]);
    expect([text, lstatSync(at('pipe')).isFIFO()]).toEqual(['new', true]);
  });

  test('a device, also behind a link', async () => {
    symlinkSync('/dev/null', at('link'));
    await write(at('link'), 'new');
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
    expect(lstatSync(at('link')).isSymbolicLink()).toBe(true);
  });

  test.skipIf(!existsSync('/dev/full'))('what it answers is told', async () => {
    await expect(write('/dev/full', 'new')).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: '--out: /dev/full cannot be written (ENOSPC)',
    });
  });

  test('but not a socket', async () => {
    const server = createServer().listen(at('socket'));
    await expect(findOutput(at('socket'))).rejects.toThrow(/socket is a socket/);
    await new Promise((resolve) => server.close(resolve));
  });

  test.skipIf(!existsSync('/proc/self/fd'))('a descriptor that is not open is refused', async () => {
    await expect(findOutput('/dev/fd/987654')).rejects.toThrow(
      /\/dev\/fd\/987654 cannot be written \(EBADF\)/,
    );
  });

  test.each(['-', '/dev/null'])('several pictures do not go to %s', async (out) => {
    await expect(nameOutputs(out, 1, 'png', 2)).rejects.toThrow(
      `--out ${out} takes one picture, not --num-images 2`,
    );
  });
});

describe.skipIf(cannotMount())('disks', () => {
  const mounted: string[] = [];
  afterAll(() => mounted.forEach(unmount));

  test('a file that is a mount point, as in a container, is written into', async () => {
    for (const name of ['outside', 'inside']) writeFileSync(at(name), 'an older and longer text');
    mountOnto(at('outside'), at('inside'));
    mounted.push(at('inside'));
    await write(at('inside'), 'new');
    expect([read('inside'), read('outside')]).toEqual(['new', 'new']);
    expect(readdirSync(folder).sort()).toEqual(['inside', 'outside']);
  });

  test('that are full keep the older picture', async () => {
    mountDisk(folder, 64 * 1024);
    mounted.push(folder);
    await write(at('picture'), 'old');
    await expect(write(at('picture'), 'x'.repeat(100_000))).rejects.toThrow('cannot be written (ENOSPC)');
    expect([read('picture'), readdirSync(folder)]).toEqual(['old', ['picture']]);
  });

  test('that are read-only are told beforehand', async () => {
    mountDisk(folder, 64 * 1024);
    mounted.push(folder);
    await write(at('picture'), 'old');
    execFileSync('mount', ['-o', 'remount,ro', folder]);
    await expect(findOutput(at('picture'))).rejects.toThrow('picture cannot be written (EROFS)');
    await expect(findOutput(at('other'))).rejects.toThrow('cannot be written (EROFS)');
  });
});
