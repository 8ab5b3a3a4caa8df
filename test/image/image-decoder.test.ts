import sharp from 'sharp';
import { expect, test } from 'vitest';
import { decodeImage } from '../../lib/image/decode-image.js';
import { REQUEST_LIMITS } from '../../lib/image/picture-limits.js';
import type { RgbImage } from '../../lib/image/rgb-image.js';
import { makePng, makeProgressiveJpeg } from '../support/pictures/hostile-pictures.js';
import {
  ENDED_BY_PICTURES,
  startImageDecoder,
  withScriptedDecoder,
} from '../support/pictures/image-decoder.js';
import { until } from '../support/until.js';

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
const costly = () => makeProgressiveJpeg({ width: 5_000, height: 5_000, components: 3, scans: 60 });

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
  // One is read, eight wait.
  const waiting = Array.from({ length: 9 }, () => decode(bytes));
  await expect(decode(bytes)).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true });
  await Promise.all(waiting);
  const first = decode(bytes);
  const second = decoder.decode({ bytes, ...SIZE, limits }, 'image', gone.signal);
  gone.abort(new Error('gone'));
  await expect(second).rejects.toThrow('gone');
  await first;
});

test("a process that cannot be started is our fault, not the picture's", async () => {
  const order = { bytes: await good(), ...SIZE, limits };
  await withScriptedDecoder('process.exit(1);', async (broken) => {
    await expect(broken.decode(order, 'image', NEVER)).rejects.toMatchObject({ code: 'INTERNAL' });
  });
});

test('one that a picture ends is refused; one that dies between pictures is replaced', async () => {
  const order = { bytes: await good(), ...SIZE, limits };
  await withScriptedDecoder(ENDED_BY_PICTURES, async (deaf) => {
    await expect(deaf.decode(order, 'image', NEVER)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });
  const once = `
    const image = { data: new Uint8Array([process.pid & 255]), width: 1, height: 1 };
    process.on('message', () => process.send({ kind: 'decoded', image }, () => process.exit()));
    process.send({ kind: 'ready' });`;
  await withScriptedDecoder(once, async (mortal) => {
    const first = await mortal.decode(order, 'image', NEVER);
    // Until its end has been seen the next order is lost with it, and may be given again.
    let second: RgbImage | undefined;
    await until('the next is read', async () => {
      second = await mortal.decode(order, 'image', NEVER).catch(() => undefined);
      return second !== undefined;
    });
    expect(second?.data).not.toEqual(first.data);
  });
});

test('the process has none of our environment', async () => {
  process.env['SECRET_OF_THE_TEST'] = 'secret';
  const spy = `
    const data = Buffer.from(JSON.stringify(Object.keys(process.env)));
    process.on('message', () => process.send({ kind: 'decoded', image: { data, width: 1, height: 1 } }));
    process.send({ kind: 'ready' });`;
  const order = { bytes: await good(), ...SIZE, limits };
  const { data } = await withScriptedDecoder(spy, (decoder) => decoder.decode(order, 'image', NEVER));
  expect(JSON.parse(Buffer.from(data).toString())).not.toContain('SECRET_OF_THE_TEST');
});
