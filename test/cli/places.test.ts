import { spawnSync } from 'node:child_process';
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
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { sdTurbo } from '../support/processes/run-command.js';
import { ROOT } from '../support/reference.js';
import { cannotMount, mountDisk, unmount } from '../support/weights/mount-disk.js';

const scratch = mkdtempSync(join(tmpdir(), 'cli-places-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const folder = () => mkdtempSync(join(scratch, 'run-'));
const DEMO = join(ROOT, 'lib/demo-model/model');
const PARTS = [
  'manifest.json',
  'model_index.json',
  'scheduler',
  'sd-turbo-card.json',
  'text_encoder',
  'tokenizer',
  'unet',
  'vae_decoder',
];
const importTo = (to: string, cwd: string) => sdTurbo(['import', '--from', DEMO, '--to', to], cwd);

describe('a place on a network is no folder: one line, and nothing is made', () => {
  const possible = 'name a directory or s3://BUCKET/PREFIX';
  test.each([
    [2, ['import', '--from', 'gs://bucket/x', '--to', 'b'], `--from gs://... is no place`],
    [2, ['import', '--from', 'https://huggingface.co/a/b', '--to', 'b'], 'did you mean hf:a/b?'],
    [2, ['import', '--from', 'hf://a/b', '--to', 'b'], 'did you mean hf:a/b?'],
    [2, ['import', '--from', 'hf:stabilityai', '--to', 'b'], 'is not of the form hf:OWNER/NAME'],
    [2, ['import', '--from', DEMO, '--taesd', 'hf:taesd@main', '--to', 'b'], '--taesd "hf:taesd@main"'],
    [1, ['import', '--from', 'stabilityai/sd-turbo', '--to', 'b'], 'hf:stabilityai/sd-turbo?'],
    [1, ['import', '--from', DEMO, '--taesd', 'madebyollin/taesd', '--to', 'b'], 'hf:madebyollin/taesd?'],
    [2, ['import', '--from', DEMO, '--taesd', 'az://c/x', '--to', 'b'], '--taesd az://...'],
    [2, ['import', '--from', DEMO, '--to', 'gs://bucket/x'], possible],
    [2, ['import', '--from', DEMO, '--to', 'S3://bucket/x'], 'did you mean s3://bucket/x?'],
    [2, ['import', '--from', DEMO, '--to', 'file:///tmp/x'], 'did you mean /tmp/x?'],
    [2, ['import', '--from', DEMO, '--to', 'hf:a/b'], '--to hf:a/b can only be read from'],
    [2, ['generate', 'x', '--model', 'gs://bucket/x'], `--model gs://... is no place`],
    [
      1,
      ['generate', 'x', '--model', 'a/b'],
      'there is no directory a/b: did you mean the repository hf:a/b?',
    ],
    [2, ['bench', '--cold', '2', '--model', 'https://example.com/x'], possible],
    [2, ['serve', '--port', '0', '--model', 'az://c/x'], possible],
    [2, ['serve', '--port', '0', '--data', 'data', '--model', 'hf:a'], 'is not of the form hf:OWNER/NAME'],
    [2, ['serve', '--port', '0', '--data', 's3://bucket/x'], '--data s3://... is not on this machine'],
  ] as const)('%i: %j', async (exit, args, named) => {
    const cwd = folder();
    const { code, stdout, stderr } = await sdTurbo(args, cwd);
    expect([code, stdout]).toEqual([exit, '']);
    expect(stderr).toMatch(/^sd-turbo: [^\n]+\n$/);
    expect(stderr).toContain(named);
    expect(readdirSync(cwd)).toEqual([]);
  });

  test('a drive is no scheme', async () => {
    const cwd = folder();
    const { code, stderr } = await sdTurbo(['generate', 'x', '--model', 'C:\\models'], cwd);
    expect([code, stderr]).toEqual([1, expect.stringContaining('there is no directory C:\\models')]);
  });
});

describe('import into a directory that exists', () => {
  test('the working directory, first empty, then with a bundle, is the same one afterwards', async () => {
    const cwd = folder();
    mkdirSync(join(cwd, 'lost+found'));
    const { ino } = statSync(cwd);
    for (const to of ['.', './', `${cwd}//`]) {
      const { code, stderr } = await importTo(to, cwd);
      expect([to, code, stderr]).toEqual([to, 0, expect.anything()]);
      expect(readdirSync(cwd).sort()).toEqual(['lost+found', ...PARTS]);
      expect(statSync(cwd).ino).toBe(ino);
    }
  });

  test('behind a link', async () => {
    const cwd = folder();
    mkdirSync(join(cwd, 'real'));
    symlinkSync('real', join(cwd, 'link'));
    expect((await importTo('link/', cwd)).code).toBe(0);
    expect(readdirSync(join(cwd, 'real')).sort()).toEqual(PARTS);
    expect(readdirSync(cwd).sort()).toEqual(['link', 'real']);
  });

  test.each([
    ['with something else', 'notes.txt', 'precious'],
    ['with the manifest of another program', 'manifest.json', '{"manifest_version": 3}'],
  ])('%s: refused, and left as it was', async (_, name, text) => {
    const cwd = folder();
    writeFileSync(join(cwd, name), text);
    const { code, stderr } = await importTo('.', cwd);
    expect([code, stderr]).toEqual([2, 'sd-turbo: . is not empty and not a bundle: name a new directory\n']);
    expect([readdirSync(cwd), readFileSync(join(cwd, name), 'utf8')]).toEqual([[name], text]);
  });

  test('what a kill has left in it is ours: the next import takes its place', async () => {
    const cwd = folder();
    const left = join(cwd, '.partial-99999999-1700000000000-00000000-0000-0000-0000-000000000000/unet');
    mkdirSync(left, { recursive: true });
    writeFileSync(join(left, 'model.onnx.partial'), 'half');
    expect((await importTo('.', cwd)).code).toBe(0);
    expect(readdirSync(cwd).sort()).toEqual(PARTS);
  });
});

describe.skipIf(cannotMount())('import to a disk of its own', () => {
  const mounted: string[] = [];
  afterAll(() => mounted.forEach(unmount));
  function disk(bytes: number) {
    const cwd = folder();
    mkdirSync(join(cwd, 'disk'));
    mountDisk(join(cwd, 'disk'), bytes);
    mounted.push(join(cwd, 'disk'));
    return cwd;
  }

  test('fills it and replaces the bundle there; where both do not fit, the older one stays', async () => {
    const cwd = disk(40 << 20);
    for (const _ of ['new', 'replaced']) {
      expect((await importTo('disk', cwd)).code).toBe(0);
      expect(readdirSync(join(cwd, 'disk')).sort()).toEqual(PARTS);
    }
    expect(readdirSync(cwd)).toEqual(['disk']);
    expect((await sdTurbo(['generate', 'x', '--model', 'disk', '--out', 'a.png'], cwd)).code).toBe(0);
    spawnSync('fallocate', ['-l', '28M', join(cwd, 'disk/unet/ballast')]);
    const { code, stderr } = await importTo('disk', cwd);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(
        /disk space for disk \(the bundle there stays until then\): \d+ MB more are needed/,
      ),
    ]);
    expect(readdirSync(join(cwd, 'disk')).sort()).toEqual(PARTS);
  });

  test('that is too small is told by its own numbers, and stays empty', async () => {
    const cwd = disk(1 << 20);
    const { code, stderr } = await importTo('disk', cwd);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(
        /^sd-turbo: not enough disk space for disk: \d+ MB more are needed, [12] MB are free$/m,
      ),
    ]);
    expect(readdirSync(join(cwd, 'disk'))).toEqual([]);
    expect(existsSync(join(cwd, 'disk'))).toBe(true);
  });
});
