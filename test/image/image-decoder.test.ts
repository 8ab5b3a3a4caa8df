import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { afterAll, expect, test } from 'vitest';
import { decodeImage } from '../../lib/image/decode-image.js';
import { ImageDecoder } from '../../lib/image/image-decoder.js';
import { REQUEST_LIMITS } from '../../lib/image/picture-limits.js';
import { makePng, makeProgressiveJpeg } from '../support/hostile-pictures.js';
import { startImageDecoder } from '../support/image-decoder.js';

const SIZE = { width: 64, height: 64 };
const limits = REQUEST_LIMITS;
const NEVER = new AbortController().signal;
const decoder = startImageDecoder();
const decode = (bytes: Uint8Array, of = limits) =>
  decoder.decode({ bytes, ...SIZE, limits: of }, 'image', NEVER);
const good = () =>
  sharp({ create: { width: 90, height: 70, channels: 3, background: '#456' } })
    .webp()
    .toBuffer();

test('gives what decodeImage gives, and its refusals with the name', async () => {
  const bytes = await good();
  const here = await decodeImage({ bytes, ...SIZE, limits });
  const there = await decode(bytes);
  expect({ ...there, data: Buffer.from(there.data) }).toEqual(here);
  await expect(decode(Buffer.from('<svg/>'))).rejects.toMatchObject({
    code: 'INVALID_INPUT',
    message: 'image: must be a PNG, JPEG or WebP picture',
  });
});

/** What passes the look at the file, and then costs more than it may: scans over all blocks again and again. */
const costly = () => makeProgressiveJpeg({ width: 6_000, height: 5_000, components: 3, scans: 60 });

test.each([
  ['time', { ...limits, cpuSeconds: 0.1 }, costly],
  [
    'memory',
    { ...limits, memoryBytes: 20_000_000 },
    () => makePng({ width: 6_000, height: 5_000, interlaced: true }),
  ],
])('what takes too much %s is refused for good, and the next picture is read', async (_, of, make) => {
  const refused = expect(decode(make(), of)).rejects.toMatchObject({
    code: 'INVALID_INPUT',
    retryable: false,
    message: expect.stringMatching(/^image: must be a picture that takes less time and memory/),
  });
  // It waits until the other is done.
  const next = decode(await good());
  await refused;
  expect((await next).data).toHaveLength(3 * 64 * 64);
});

test('as many as may wait do; one that waits and is no longer wanted is not read', async () => {
  const bytes = await good();
  const gone = new AbortController();
  const waiting = Array.from({ length: 8 }, () => decode(bytes));
  await expect(decode(bytes)).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true });
  await Promise.all(waiting);
  const first = decode(bytes);
  const second = decoder.decode({ bytes, ...SIZE, limits }, 'image', gone.signal);
  gone.abort(new Error('gone'));
  await expect(second).rejects.toThrow('gone');
  await first;
});

const scripts: string[] = [];
afterAll(() => {
  for (const script of scripts) rmSync(script);
});
function decoderOf(source: string): ImageDecoder {
  const script = join(tmpdir(), `decoder-${process.pid}-${scripts.length}.mjs`);
  writeFileSync(script, source);
  scripts.push(script);
  return new ImageDecoder(pathToFileURL(script));
}

test("a process that cannot be started is our fault, not the picture's", async () => {
  const order = { bytes: await good(), ...SIZE, limits };
  await expect(decoderOf('process.exit(1);').decode(order, 'image', NEVER)).rejects.toMatchObject({
    code: 'INTERNAL',
  });
});

test('one that a picture kills is refused; one that dies between pictures is replaced', async () => {
  const order = { bytes: await good(), ...SIZE, limits };
  const crashes = decoderOf(
    "process.on('message', () => process.kill(process.pid, 'SIGKILL')); process.send({ kind: 'ready' });",
  );
  await expect(crashes.decode(order, 'image', NEVER)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  const image = '{ data: new Uint8Array(3), width: 1, height: 1 }';
  const once = decoderOf(`
    process.on('message', () => process.send({ kind: 'decoded', image: ${image} }, () => process.exit()));
    process.send({ kind: 'ready' });`);
  for (let turn = 0; turn < 2; turn++) {
    expect(await once.decode(order, 'image', NEVER)).toEqual({
      data: new Uint8Array(3),
      width: 1,
      height: 1,
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
});

test('the process has none of our environment', async () => {
  process.env['SECRET_OF_THE_TEST'] = 'secret';
  const spy = decoderOf(`
    const data = Buffer.from(JSON.stringify(Object.keys(process.env)));
    process.on('message', () => process.send({ kind: 'decoded', image: { data, width: 1, height: 1 } }));
    process.send({ kind: 'ready' });`);
  const { data } = await spy.decode({ bytes: await good(), ...SIZE, limits }, 'image', NEVER);
  expect(JSON.parse(Buffer.from(data).toString())).not.toContain('SECRET_OF_THE_TEST');
});
