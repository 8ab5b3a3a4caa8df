import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type * as InProcess from '../../lib/in-process/index.js';
import { sdTurbo } from '../support/processes/run-command.js';
import { ROOT } from '../support/reference.js';

/** Compiled: its threads are files beside it. */
const LIBRARY = pathToFileURL(join(ROOT, 'dist/lib/in-process/index.js')).href;
const INPUT = { prompt: 'a red house in the snow at sunset', seed: 7 };

const { openPipeline }: typeof InProcess = await import(LIBRARY);
const scratch = mkdtempSync(join(tmpdir(), 'in-process-'));
let pipeline: InProcess.Pipeline;
beforeAll(async () => {
  pipeline = await openPipeline();
});
afterAll(async () => {
  await pipeline.close();
  rmSync(scratch, { recursive: true });
});

describe('generate', () => {
  test('draws what the command draws, byte for byte', async () => {
    const { images, timings, ...rest } = await pipeline.generate(INPUT);
    expect(rest).toEqual({
      format: 'png',
      contentType: 'image/png',
      seed: 7,
      steps: 1,
      decoder: 'vae',
      tokensCut: 0,
      model: 'sd-turbo-demo',
    });
    expect(Object.keys(timings)).toEqual(['text_encoder', 'unet', 'decoder', 'encode']);
    const { code, stderr } = await sdTurbo(
      ['generate', INPUT.prompt, '--seed', '7', '--out', 'a.png'],
      scratch,
    );
    expect(code, stderr).toBe(0);
    expect(Buffer.from(images[0] as Uint8Array)).toEqual(readFileSync(join(scratch, 'a.png')));
  });

  test('leaves its thread to whatever else the program does', async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 10);
    await pipeline.generate(INPUT);
    clearInterval(timer);
    // A thread that draws has none before it is done.
    expect(turns).toBeGreaterThan(5);
  });

  test('several calls are served in their order; one that is given up does no harm', async () => {
    const stop = new AbortController();
    const reason = new Error('enough');
    const order: string[] = [];
    const calls = [
      pipeline.generate(INPUT).then(() => order.push('first')),
      pipeline.generate(INPUT, { signal: stop.signal }),
      pipeline.generate({ ...INPUT, numImages: 2, format: 'webp' }).then(({ images, contentType }) => {
        order.push('third');
        expect([images.length, contentType]).toEqual([2, 'image/webp']);
      }),
    ];
    stop.abort(reason);
    await expect(calls[1]).rejects.toBe(reason);
    await Promise.all([calls[0], calls[2]]);
    expect(order).toEqual(['first', 'third']);
  });

  test('begins with a picture, however that is handed over', async () => {
    const bytes = readFileSync(join(ROOT, 'lib/demo-model/samples/night-tree.png'));
    const base64 = bytes.toString('base64');
    const forms = [bytes, new Blob([Uint8Array.from(bytes)]), base64, `data:image/png;base64,${base64}`];
    const drawn = [];
    for (const image of forms) drawn.push(await pipeline.generate({ ...INPUT, image }));
    expect(
      new Set(drawn.map(({ images }) => Buffer.from(images[0] as Uint8Array).toString('hex'))).size,
    ).toBe(1);
    expect(drawn[0]).toMatchObject({ steps: 2 });
  });

  test.each<[object, string]>([
    [{ steps: 9 }, 'steps: must be an integer from 1 to 4'],
    [{ num_steps: 2 }, 'num_steps: is called steps here; the fields are prompt, steps, seed'],
    [{ sead: 2 }, 'sead: is not a field here: did you mean seed? The fields are prompt, '],
    [{ negative_prompt: 'rain' }, 'negative_prompt: SD-Turbo has none'],
    [{ webhook: 'https://example.com' }, 'webhook: is not a field here; the fields are'],
    [{ prompt: undefined }, 'prompt: is required'],
    [{ prompt: 5, seed: -1 }, 'prompt: must be a string; seed: must be an integer'],
    [{ format: 'gif' }, 'format: must be one of png, jpeg, webp'],
    [{ decoder: 'taesd' }, 'decoder: this model has no taesd, but vae'],
    [{ strength: 0.5 }, 'strength: goes with image'],
    [{ image: 'a picture?' }, 'image: is not base64'],
    [{ image: new Uint8Array(3) }, 'image: must be a PNG, JPEG or WebP picture'],
    [{ image: 5 }, 'image: must be a Blob'],
    [{ image: new Uint8Array(3), strength: 0.1 }, 'strength: times steps must be at least 1'],
  ])('what is wrong is named as the program names it: %j', async (fields, message) => {
    const error = await pipeline.generate({ ...INPUT, ...fields }).catch((thrown) => thrown);
    expect(error).toMatchObject({ name: 'AppError', code: 'INVALID_INPUT' });
    expect(error.message).toContain(message);
  });
});

test('two at once in one process draw the same, and one closes without the other', async () => {
  const model = join(scratch, 'bundle');
  cpSync(join(ROOT, 'lib/demo-model/bundle'), model, { recursive: true });
  const other = await openPipeline({ model, threads: 1 });
  const [ours, theirs] = await Promise.all([pipeline.generate(INPUT), other.generate(INPUT)]);
  expect(theirs.images).toEqual(ours.images);
  await Promise.all([other.close(), other[Symbol.asyncDispose]()]);
  await expect(other.generate(INPUT)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect((await pipeline.generate(INPUT)).images).toEqual(ours.images);
});

test('closed while it draws, it finishes what it was asked for', async () => {
  const other = await openPipeline();
  const call = other.generate(INPUT);
  await other.close();
  expect((await call).seed).toBe(7);
});

test.each([
  [{ model: 's3://my-bucket/sd-turbo' }, 'UNSUPPORTED', 'sd-turbo import --from s3://my-bucket/sd-turbo'],
  [{ model: join(scratch, 'nowhere') }, 'NOT_FOUND', 'nowhere'],
  [{ model: join(ROOT, 'lib/demo-model/model') }, 'NOT_FOUND', 'sd-turbo import'],
  [{ model: 5 }, 'INVALID_INPUT', 'model: '],
  [{ threads: 0 }, 'INVALID_INPUT', 'threads: '],
])('%j is refused', async (props, code, message) => {
  const error = await openPipeline(props as InProcess.OpenPipelineProps).catch((thrown) => thrown);
  expect(error).toMatchObject({ name: 'AppError', code });
  expect(error.message).toContain(message);
});

/** Runs a program of its own; `mb` is its memory. */
function program(...lines: string[]) {
  const file = join(scratch, 'program.mjs');
  const head = `import { openPipeline } from '${LIBRARY}'; const mb = () => process.memoryUsage.rss() / 1e6;`;
  writeFileSync(file, [head, ...lines].join('\n'));
  return spawnSync(process.execPath, [file], { encoding: 'utf8', timeout: 50_000 });
}

test.each([
  ['is left open', ''],
  ['is closed', 'await pipeline.close();'],
  ['is left open by process.exit', 'process.exit();'],
])('a program ends by itself when its pipeline %s', (_, last) => {
  const { status, stdout, stderr } = program(
    'const pipeline = await openPipeline();',
    "const { images } = await pipeline.generate({ prompt: 'a tree' });",
    `console.log(images.length); ${last}`,
  );
  expect(stderr).toBe('');
  expect([stdout, status]).toEqual(['1\n', 0]);
});

test('its memory comes back', () => {
  const { stdout, stderr } = program(
    'const rounds = [];',
    'for (let round = 0; round < 4; round++) {',
    '  const pipeline = await openPipeline({ threads: 1 });',
    "  await pipeline.generate({ prompt: 'a tree' });",
    '  const drawn = mb(); await pipeline.close(); rounds.push([drawn, mb()]);',
    '}',
    'console.log(JSON.stringify(rounds));',
  );
  expect(stderr).toBe('');
  const rounds = JSON.parse(stdout) as [drawn: number, closed: number][];
  console.log(
    `MB with a pipeline that has drawn, and closed: ${rounds.map((round) => round.map(Math.round).join(', ')).join('; ')}`,
  );
  for (const [drawn, closed] of rounds) expect(closed).toBeLessThan(drawn - 50);
  // What a leak would leave of each round is far more.
  expect((rounds[3] as [number, number])[0]).toBeLessThan((rounds[0] as [number, number])[0] + 60);
});
