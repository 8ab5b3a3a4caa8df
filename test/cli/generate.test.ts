import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { BUNDLE_VERSION, manifestSchema } from '../../lib/schemas/manifest.js';
import { MAX_IMAGE_BYTES } from '../../lib/schemas/request.js';
import { randomBytes } from '../support/graphs/random-bundle.js';
import { sdTurbo } from '../support/processes/run-command.js';
import { ROOT } from '../support/reference.js';

const scratch = mkdtempSync(join(tmpdir(), 'cli-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const DEMO = join(ROOT, 'lib/demo-model/model');
const folder = () => mkdtempSync(join(scratch, 'run-'));

const reportSchema = z.strictObject({
  seed: z.int(),
  num_steps: z.int(),
  decoder: z.string(),
  model: z.string(),
  files: z.array(z.string()),
  tokens_cut: z.int(),
  warnings: z.array(z.string()).optional(),
  milliseconds: z.strictObject({
    load: z.number().positive(),
    text_encoder: z.number().positive(),
    unet: z.number().positive(),
    decoder: z.number().positive(),
    encode: z.number().positive(),
    total: z.number().positive(),
  }),
});

describe('generate', () => {
  test('draws with the demo model, says how on stdout, and keeps progress on stderr', async () => {
    const cwd = folder();
    const { code, stdout, stderr } = await sdTurbo(
      ['generate', 'a secret tree', '--seed', '5', '--json'],
      cwd,
    );
    expect(code).toBe(0);
    const report = reportSchema.parse(JSON.parse(stdout));
    expect(report).toMatchObject({ seed: 5, num_steps: 1, files: ['sd-turbo-5.png'], tokens_cut: 0 });
    expect(stderr).toMatch(/loading/);
    const bytes = readFileSync(join(cwd, 'sd-turbo-5.png'));
    expect(await sharp(bytes).metadata()).toMatchObject({ format: 'png', width: 512, height: 512 });
    const text = bytes.toString('latin1');
    for (const chunk of ['tEXtseed\x005', 'tEXtnum_steps\x001', 'tEXtmodel\x00sd-turbo-demo'])
      expect(text).toContain(chunk);
    expect(text).not.toContain('secret');
    // To the person who has typed it, and nobody else.
    const warning = expect.stringContaining('sd-turbo-demo does not know the word "secret": ');
    expect(report.warnings).toEqual([warning]);
    expect(stderr.split('\n').filter((line) => line.includes('secret'))).toEqual([warning]);
  });

  test('the same seed gives the same bytes, beside the older picture', async () => {
    const cwd = folder();
    const args = ['generate', 'a boat', '--seed', '1'];
    const first = await sdTurbo(args, cwd);
    const second = await sdTurbo(args, cwd);
    expect([first.stdout, second.stdout]).toEqual(['sd-turbo-1.png\n', 'sd-turbo-1-v2.png\n']);
    const [a, b] = ['sd-turbo-1.png', 'sd-turbo-1-v2.png'].map((file) => readFileSync(join(cwd, file)));
    expect(b?.equals(a as Buffer)).toBe(true);
    expect(readdirSync(cwd)).toHaveLength(2);
  });

  test('the name chooses the format, --format wins, several pictures are numbered', async () => {
    const cwd = folder();
    await sdTurbo(['generate', 'x', '--out', 'a.webp', '--num-images', '2'], cwd);
    await sdTurbo(['generate', 'x', '--out', 'b.jpg'], cwd);
    await sdTurbo(['generate', 'x', '--out', 'c.jpg', '--format', 'png'], cwd);
    const formats = await Promise.all(
      ['a-0.webp', 'a-1.webp', 'b.jpg', 'c.jpg'].map(
        async (file) => (await sharp(join(cwd, file)).metadata()).format,
      ),
    );
    expect(formats).toEqual(['webp', 'webp', 'jpeg', 'png']);
  });

  test('begins with a photo of a camera, which is larger than a request may be', async () => {
    const cwd = folder();
    const sides = { width: 2400, height: 1600, channels: 3 } as const;
    const noise = sharp(randomBytes(3 * 2400 * 1600, 1), { raw: sides });
    const photo = await noise.withMetadata({ orientation: 6 }).jpeg({ quality: 95 }).toBuffer();
    expect(photo.length).toBeGreaterThan(MAX_IMAGE_BYTES);
    writeFileSync(join(cwd, 'photo.jpg'), photo);
    const { code, stderr } = await sdTurbo(
      ['generate', 'a tree', '--image', 'photo.jpg', '--out', 'a.png'],
      cwd,
    );
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(await sharp(join(cwd, 'a.png')).metadata()).toMatchObject({ width: 512, height: 512 });
  });

  test('a prompt that is too long is cut, and stderr says so', async () => {
    const { code, stderr } = await sdTurbo(['generate', 'tree '.repeat(100), '--out', 'a.png'], folder());
    expect(code).toBe(0);
    expect(stderr).toContain('25 tokens were cut');
  });
});

test('a picture that cannot be begun with is refused before anything is loaded', async () => {
  const cwd = folder();
  const noise = sharp(randomBytes(3 * 64 * 64, 1), { raw: { width: 64, height: 64, channels: 3 } });
  const whole = await noise.png().toBuffer();
  writeFileSync(join(cwd, 'whole.png'), whole);
  writeFileSync(join(cwd, 'damaged.png'), whole.fill(0, whole.length >> 1));
  const plain = await sdTurbo(['import', '--from', DEMO, '--to', 'plain', '--no-self-test'], cwd);
  expect(plain.code).toBe(0);
  for (const [file, model, code, named] of [
    ['damaged.png', [], 2, '--image'],
    ['whole.png', ['--model', 'plain'], 1, '--image: this bundle has no encoder'],
  ] as const) {
    const drawn = await sdTurbo(['generate', 'x', '--image', file, ...model], cwd);
    expect(drawn).toMatchObject({ code, stderr: expect.stringMatching(/^sd-turbo: [^\n]+\n$/) });
    expect(drawn.stderr).toContain(named);
  }
});

const CUDA = join(
  ROOT,
  'node_modules/onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime_providers_cuda.so',
);
test.skipIf(existsSync(CUDA))('a provider that this machine lacks is named', async () => {
  const { code, stderr } = await sdTurbo(['generate', 'x', '--provider', 'cuda'], folder());
  expect(code).toBe(1);
  // Nothing of the runtime's own beside it.
  expect(stderr).toMatch(/^loading the model\nsd-turbo: the provider cuda cannot be used here: [^\n]+\n$/);
});

test.each([
  ['--num-inference-steps', '--num-inference-steps: is called --steps here'],
  ['--num_inference_steps', '--num_inference_steps: is called --steps here'],
  ['-n', '-n: is called --num-images here'],
  ['--init-image', '--init-image: is called --image here'],
  ['--negative-prompt', '--negative-prompt: SD-Turbo has none: it was trained to draw without guidance'],
  ['--guidance-scale', '--guidance-scale: SD-Turbo has none'],
  ['--width', '--width: pictures have the size that the model has'],
  ['--sede', "unknown option '--sede' (Did you mean --seed?)"],
  ['--banana', "unknown option '--banana'"],
])('%s is what other programs have', async (flag, said) => {
  const { code, stderr } = await sdTurbo(['generate', 'a tree', flag, '2'], folder());
  expect([code, stderr]).toEqual([2, expect.stringMatching(/^sd-turbo: [^\n]+\n$/)]);
  expect(stderr).toContain(`sd-turbo: ${said}`);
});

describe('wrong usage is one line that names the option, and exit code 2', () => {
  test.each([
    [['generate'], 'PROMPT'],
    [['generate', 'x', '--steps', '0'], '--steps'],
    [['generate', 'x', '--steps', '5'], '--steps'],
    [['generate', 'x', '--steps', '1.5'], '--steps'],
    [['generate', 'x', '--steps', 'x'], '--steps'],
    [['generate', 'x', '--steps', ''], '--steps'],
    [['generate', 'x', '--seed', '-1'], '--seed'],
    [['generate', 'x', '--seed', '1e30'], '--seed'],
    [['generate', 'x', '--seed', '9007199254740992'], '--seed'],
    [['generate', 'x', '--num-images', '5'], '--num-images'],
    [['generate', 'x', '--format', 'gif'], '--format'],
    [['generate', 'x', '--decoder', 'best'], '--decoder'],
    [['generate', 'x', '--decoder', 'taesd'], 'taesd'],
    [['generate', 'x', '--provider', 'tpu'], '--provider'],
    [
      ['generate', 'x', '--endpoint', 'http://localhost', '--api-key', 'k', '--provider', 'cpu'],
      '--provider',
    ],
    [['generate', 'x', '--colour', 'red'], '--colour'],
    [['generate', 'x', '--out', '/nowhere/a.png'], '/nowhere'],
    [['generate', 'p'.repeat(100_000)], 'PROMPT'],
    [['generate', 'x', '--steps', '-1'], '--steps'],
    [['generate', 'x', '--steps'], '--steps'],
    [['generate', 'x', 'y'], 'generate'],
    [['generate', 'x', '--out', ''], '--out'],
    [
      ['generate', 'x', '--out', 'x.gif'],
      '--out x.gif: no .gif can be written: end its name in one of .png, .jpg,',
    ],
    [['generate', 'x', '--out', 'x.MP4', '--num-images', '2'], '--out x.MP4'],
    [['generate', 'x', '--out', ROOT], '--out'],
    [['generate', 'x', '--out', join(ROOT, 'package.json/a.png')], '--out: directory'],
    [['generate', 'x', '--image', ROOT], '--image'],
    [['generate', 'x', '--image', join(ROOT, 'test')], 'cannot be read (EISDIR)'],
    [['generate', 'x', '--image', join(ROOT, 'package.json')], 'must be a PNG, JPEG or WebP picture'],
    [['generate', 'x', '--out', 'new/'], '--out'],
    [['generate', 'x', '--model', ''], '--model'],
    [['generate', 'x', '--format', ''], '--format'],
    [['bench', '--runs', '0'], '--runs'],
    [['import', '--from', '', '--to', 'b'], '--from'],
    [['import', '--from', DEMO, '--to', ''], '--to'],
    [['import', '--from', DEMO, '--to', 'b', '--precision', 'int8'], '--precision'],
    [['import', '--from', DEMO, '--to', 'b', '--dialect', 'tensorrt'], '--dialect'],
    [['import', '--from', DEMO, '--to', 'b', '--dialect', 'cuda', '--precision', 'float32'], 'float16'],
    [['import', '--from', DEMO, '--to', '/proc/nope/b'], '/proc/nope/b'],
    [['import', '--from', DEMO, '--to', join(ROOT, 'package.json')], 'package.json'],
    [['import', '--from', 'x'], '--to'],
    [['paint', 'x'], 'paint'],
  ])('%j', async (args, named) => {
    const cwd = folder();
    const { code, stdout, stderr } = await sdTurbo(args as string[], cwd);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^sd-turbo: [^\n]+\n$/);
    expect(stderr).toContain(named);
    expect(stderr.length).toBeLessThan(400);
    expect(readdirSync(cwd)).toEqual([]);
  });
});

describe('what cannot be done is one line, and exit code 1', () => {
  test.each([
    [['generate', 'x', '--model', '/nowhere'], '/nowhere'],
    [['generate', 'x', '--model', DEMO], 'sd-turbo import'],
    [['bench', '--model', '/nowhere'], '/nowhere'],
    [['import', '--from', '/nowhere', '--to', 'b'], '/nowhere'],
    [['import', '--from', DEMO, '--to', 'b', '--taesd', join(DEMO, 'vae')], 'AutoencoderTiny'],
    [['import', '--from', join(DEMO, 'vae/config.json'), '--to', 'b'], 'config.json'],
  ])('%j', async (args, named) => {
    const cwd = folder();
    const { code, stdout, stderr } = await sdTurbo(args as string[], cwd);
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^sd-turbo: [^\n]+\n$/);
    expect(stderr).toContain(named);
    expect(readdirSync(cwd)).toEqual([]);
  });
});

describe('import', () => {
  test('--dialect cuda makes a bundle that this machine refuses, and says which it takes', async () => {
    const cwd = folder();
    const imported = await sdTurbo(['import', '--from', DEMO, '--to', 'gpu', '--dialect', 'cuda'], cwd);
    expect([imported.code, imported.stdout]).toEqual([0, 'gpu\n']);
    const { code, stdout, stderr } = await sdTurbo(['generate', 'a tree', '--model', 'gpu'], cwd);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(
      /sd-turbo: --dialect cuda runs on NVIDIA GPUs only.*sd-turbo-demo with --dialect standard\n$/,
    );
    expect(readdirSync(cwd)).toEqual(['gpu']);
  });

  test('makes the bundle that is part of this repository', async () => {
    const cwd = folder();
    const { code, stdout } = await sdTurbo(
      ['import', '--from', DEMO, '--to', 'deep/bundle', '--encoder'],
      cwd,
    );
    expect([code, stdout]).toEqual([0, 'deep/bundle\n']);
    const committed = join(ROOT, 'lib/demo-model/bundle');
    const manifests = [join(cwd, 'deep/bundle'), committed].map((bundle) =>
      manifestSchema.parse(JSON.parse(readFileSync(join(bundle, 'manifest.json'), 'utf8'))),
    );
    // The picture of the self-test may differ by a level between processors.
    const [about, keptAbout] = manifests.map(({ self_test, ...rest }) => rest);
    // sd-turbo import --from lib/demo-model/model --encoder --to lib/demo-model/bundle makes one of today's format of it.
    const isToday = keptAbout?.version === BUNDLE_VERSION;
    if (isToday) expect(about).toEqual(keptAbout);
    const files = readdirSync(committed, { recursive: true, encoding: 'utf8' }).filter(
      (file) => /\.\w+$/.test(file) && file !== 'manifest.json' && (isToday || !file.endsWith('.onnx')),
    );
    expect(files.length).toBeGreaterThan(10);
    for (const file of files) {
      const [made, kept] = [join(cwd, 'deep/bundle', file), join(committed, file)].map((path) =>
        readFileSync(path),
      );
      expect(made?.equals(kept as Buffer), file).toBe(true);
    }
  });

  test('replaces an older bundle, and nothing else', async () => {
    const cwd = folder();
    await sdTurbo(['import', '--from', DEMO, '--to', 'b'], cwd);
    writeFileSync(join(cwd, 'b/left-over'), '');
    expect((await sdTurbo(['import', '--from', DEMO, '--to', 'b'], cwd)).code).toBe(0);
    expect(existsSync(join(cwd, 'b/left-over'))).toBe(false);

    writeFileSync(join(cwd, 'mine.txt'), 'precious');
    const onto = await sdTurbo(['import', '--from', DEMO, '--to', '.'], cwd);
    expect([onto.code, onto.stderr]).toEqual([2, expect.stringContaining('not empty')]);
    const below = await sdTurbo(['import', '--from', DEMO, '--to', 'mine.txt/b'], cwd);
    expect([below.code, below.stderr]).toEqual([2, expect.stringContaining('mine.txt/b')]);
    expect(readdirSync(cwd).sort()).toEqual(['b', 'mine.txt']);
  });
});

test('--help and --version', async () => {
  const cwd = folder();
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  expect(await sdTurbo(['--version'], cwd)).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  const { code, stdout } = await sdTurbo(['--help'], cwd);
  expect(code).toBe(0);
  for (const command of ['generate', 'import', 'bench']) expect(stdout).toContain(command);
  const generate = await sdTurbo(['generate', '--help'], cwd);
  expect(generate.stdout).toMatch(
    /sd-turbo-demo draws.*\n {2}objects: tree, .*snowman\n(?:.*\n)* {2}sky: day, night/,
  );
});
