import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { S3Client } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '../../../lib/errors/app-error.js';
import type { TransferPolicy } from '../../../lib/weights/bytes/transfer.js';
import { type DownloadProps, startDownload } from '../../../lib/weights/download/download-bundle.js';
import { createS3Client } from '../../../lib/weights/sources/s3/create-s3-client.js';
import { S3Source } from '../../../lib/weights/sources/s3/s3-source.js';
import { differences, randomBundle, seededRandom, uploadBundle } from '../../support/graphs/random-bundle.js';
import {
  type Fault,
  type FaultProxy,
  type ProxiedRequest,
  startFaultProxy,
} from '../../support/servers/fault-proxy.js';
import {
  type MotoServer,
  motoClientConfig,
  motoIsAbsent,
  startMotoServer,
} from '../../support/servers/moto-server.js';
import { FETCH_WORKER, THREADS } from '../../support/weights/fetch-worker.js';

const CHUNK = 40_000;
const SIZES = {
  'model_index.json': 300,
  'text_encoder/model.onnx': 3 * CHUNK + 7,
  'unet/model.onnx': 5 * CHUNK,
};
const CHUNKS = 1 + 4 + 5;
const bundle = randomBundle(SIZES, CHUNK);

const isUnetPart = (request: ProxiedRequest, part: number) =>
  request.path.endsWith('unet/model.onnx') &&
  request.range === `bytes=${part * CHUNK}-${(part + 1) * CHUNK - 1}`;

describe.skipIf(motoIsAbsent()).each<[string, Partial<DownloadProps>]>([
  ['by threads', { threads: THREADS }],
  ['without them', {}],
])('a download from S3 on a bad day, %s', (_way, way) => {
  let moto: MotoServer;
  let proxy: FaultProxy;
  let client: S3Client;
  let faultFor: (request: ProxiedRequest) => Fault | undefined;
  let directory: string;

  beforeAll(async () => {
    moto = await startMotoServer();
    proxy = await startFaultProxy({ target: moto.url, faultFor: (request) => faultFor(request) });
    client = createS3Client(motoClientConfig(proxy.url));
    faultFor = () => undefined;
    await uploadBundle(client, 'models', bundle);
  });
  afterAll(async () => {
    client?.destroy();
    await proxy?.stop();
    await moto?.stop();
  });
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 's3-faults-'));
    faultFor = () => undefined;
    proxy.requests.length = 0;
  });
  afterEach(() => rm(directory, { recursive: true }));

  /** Pauses are not waited for; those that would have been are noted. */
  const pauses: number[] = [];
  const told: string[] = [];
  const policy: TransferPolicy = {
    retries: 4,
    stallTimeoutMs: 20_000,
    random: () => 0.5,
    sleep: async (ms) => {
      pauses.push(ms);
    },
    onRetry: ({ message }) => told.push(message),
  };
  const source = () => new S3Source(client, { bucket: 'models', prefix: '' });
  const download = (more: Partial<DownloadProps> = {}) =>
    startDownload({ source: source(), manifest: bundle.manifest, directory, policy, ...way, ...more });

  /** The third part of the UNet's file has `fault` the first `times` times. */
  const failing = (times: number, fault: Fault) => {
    let left = times;
    faultFor = (request) => (isUnetPart(request, 2) && left-- > 0 ? fault : undefined);
  };
  const requestsForPart = () => proxy.requests.filter((request) => isUnetPart(request, 2)).length;

  it('asks once for each chunk when nothing is wrong', async () => {
    await download().done;
    expect(await differences(directory, bundle)).toEqual([]);
    expect(proxy.requests).toHaveLength(CHUNKS);
  });

  const transient: [string, Fault, string][] = [
    ['500', { kind: 'status', status: 500, code: 'InternalError' }, 'InternalError: injected (HTTP 500)'],
    ['503 SlowDown', { kind: 'status', status: 503, code: 'SlowDown' }, 'SlowDown: injected (HTTP 503)'],
    ['400 ExpiredToken', { kind: 'status', status: 400, code: 'ExpiredToken' }, 'ExpiredToken: injected'],
    [
      '400 RequestTimeout',
      { kind: 'status', status: 400, code: 'RequestTimeout' },
      'RequestTimeout: injected',
    ],
    ['a reset in mid-body', { kind: 'reset', after: 20_000 }, ''],
    ['a reset after the head', { kind: 'reset', after: 0 }, ''],
    [
      'an early end of the connection',
      { kind: 'cut', after: 39_999 },
      way.threads ? 'the connection was closed too early' : 'aborted',
    ],
    ['a short body', { kind: 'short', after: 100 }, 'only 100 of 40000 bytes came'],
    ['an empty body', { kind: 'short', after: 0 }, 'only 0 of 40000 bytes came'],
    ['a body that is too long', { kind: 'long' }, 'more bytes came than asked for'],
    ['a flipped byte', { kind: 'flip', at: 12_345 }, 'crc32 is '],
  ];
  it.each(transient)('%s: comes right when it passes', async (_name, fault) => {
    failing(3, fault);
    await download().done;
    expect(await differences(directory, bundle)).toEqual([]);
    expect(requestsForPart()).toBe(4);
  });
  it.each(transient)('%s: fails and names the object when it does not pass', async (_name, fault, reason) => {
    failing(Number.POSITIVE_INFINITY, fault);
    const error = await download().done.catch((caught) => caught);
    expect(error).toBeInstanceOf(AppError);
    expect(error.message).toMatch(/s3:\/\/models\/unet\/model\.onnx.*\(5 attempts\)$/);
    expect(error.message).toContain(reason);
    expect(existsSync(join(directory, 'unet/model.onnx'))).toBe(false);
    expect(existsSync(join(directory, 'manifest.json'))).toBe(false);
  });

  it.each<[string, Fault, string]>([
    ['a stall in mid-body', { kind: 'stall', after: 20_000 }, 'UNAVAILABLE'],
    ['a stall after the head', { kind: 'stall', after: 0 }, 'UNAVAILABLE'],
    ['an answer that never begins', { kind: 'hang' }, 'UNAVAILABLE'],
  ])('%s: is given up and tried again', async (_name, fault, code) => {
    const impatient = { ...policy, stallTimeoutMs: 500, retries: 1 };
    failing(1, fault);
    await download({ policy: impatient }).done;
    expect(await differences(directory, bundle)).toEqual([]);
    await rm(join(directory, 'unet'), { recursive: true });
    failing(Number.POSITIVE_INFINITY, fault);
    await expect(download({ policy: impatient }).done).rejects.toMatchObject({
      code,
      message: 's3://models/unet/model.onnx: nothing came for 0.5 s (2 attempts)',
    });
  });

  it('takes 1 MB/s as it comes', async () => {
    // The slow part takes longer than a stall may.
    const slow = randomBundle({ slow: 1_500_000 }, 1_500_000);
    await uploadBundle(client, 'slow', slow);
    proxy.requests.length = 0;
    faultFor = () => ({ kind: 'slow', bytesPerSecond: 1_000_000 });
    const slowSource = new S3Source(client, { bucket: 'slow', prefix: '' });
    const impatient = { ...policy, stallTimeoutMs: 1000, retries: 0 };
    await download({ source: slowSource, manifest: slow.manifest, policy: impatient }).done;
    expect(await differences(directory, slow)).toEqual([]);
    expect(proxy.requests).toHaveLength(1);
  });

  it.each<[string, Fault, string]>([
    ['404', { kind: 'status', status: 404, code: 'NoSuchKey' }, 'NOT_FOUND'],
    ['403', { kind: 'status', status: 403, code: 'AccessDenied' }, 'UNAVAILABLE'],
    ['416', { kind: 'status', status: 416, code: 'InvalidRange' }, 'INVALID_FILE'],
  ])('%s for one part: fails at once and names the object', async (_name, fault, code) => {
    failing(Number.POSITIVE_INFINITY, fault);
    const { file, done } = download({ parallelism: 1 });
    const expected = {
      code,
      retryable: false,
      message: expect.stringContaining('s3://models/unet/model.onnx'),
    };
    await expect(done).rejects.toMatchObject(expected);
    await expect(file('unet/model.onnx')).rejects.toMatchObject(expected);
    expect(await file('text_encoder/model.onnx')).toBe(join(directory, 'text_encoder/model.onnx'));
    // 5 parts and 3 of the UNet; what a thread cannot read is asked for again by the SDK, which knows the words.
    expect(proxy.requests).toHaveLength(way.threads ? 9 : 8);
  });

  it('a failure for good stops the others, and leaves no transfer open', async () => {
    faultFor = (request) => {
      if (isUnetPart(request, 2)) return { kind: 'status', status: 404, code: 'NoSuchKey' };
      return request.path.includes('unet') ? { kind: 'stall', after: 1000 } : undefined;
    };
    await expect(download().done).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await untilNoTransfer();
  });

  it.skipIf(!way.threads)('a thread that dies takes no more with it than an attempt', async () => {
    const entry = join(directory, 'entry.mjs');
    const died = JSON.stringify(join(directory, 'died'));
    await writeFile(
      entry,
      `import { existsSync, writeFileSync } from 'node:fs';
      import { parentPort } from 'node:worker_threads';
      import ${JSON.stringify(FETCH_WORKER.href)};
      parentPort.on('message', ({ id }) => {
        if (id !== 3 || existsSync(${died})) return;
        writeFileSync(${died}, '');
        process.exit(1);
      });`,
    );
    const threads = { entry: pathToFileURL(entry), count: 1, fromBytes: 0 };
    const to = join(directory, 'bundle');
    await download({ directory: to, threads }).done;
    expect(existsSync(join(directory, 'died'))).toBe(true);
    expect(await differences(to, bundle)).toEqual([]);
  });

  it('a stop from outside ends what is under way', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    faultFor = (request) => {
      if (isUnetPart(request, 2)) controller.abort(reason);
      return request.path.includes('unet') ? { kind: 'stall', after: 1000 } : undefined;
    };
    await expect(download({ signal: controller.signal }).done).rejects.toBe(reason);
    await untilNoTransfer();
  });

  /** Ends with the test's own limit when a transfer stays. */
  async function untilNoTransfer(): Promise<void> {
    while (proxy.openTransfers() > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  }

  it('pauses twice as long after each failure, with jitter, up to 10 s', async () => {
    failing(8, { kind: 'reset', after: 0 });
    pauses.length = told.length = 0;
    await download({ policy: { ...policy, retries: 8 } }).done;
    expect(pauses).toEqual([100, 200, 400, 800, 1600, 3200, 5000, 5000]);
    // Each before its pause.
    expect(told).toHaveLength(pauses.length);
  });

  it('100 days of random faults: the right bytes, or an error that names the object', async () => {
    const outcomes = { right: 0, failed: 0, faults: 0 };
    for (let seed = 1; seed <= 100; seed++) {
      const random = seededRandom(seed);
      // One day in five one part is gone, for good.
      const gone = random() < 0.2 ? Math.floor(random() * 5) : undefined;
      faultFor = (request) => {
        if (gone !== undefined && isUnetPart(request, gone)) {
          return { kind: 'status', status: 404, code: 'NoSuchKey' };
        }
        const fault = random() < 0.35 ? randomFault(random) : undefined;
        if (fault) outcomes.faults++;
        return fault;
      };
      const day = join(directory, String(seed));
      const parallelism = 1 + Math.floor(random() * 8);
      const { done } = download({
        directory: day,
        parallelism,
        policy: { ...policy, retries: 30, stallTimeoutMs: 300, random },
      });
      if (gone === undefined) {
        await done;
        expect(await differences(day, bundle), `seed ${seed}`).toEqual([]);
        outcomes.right++;
      } else {
        await expect(done, `seed ${seed}`).rejects.toMatchObject({
          code: 'NOT_FOUND',
          message: 's3://models/unet/model.onnx does not exist',
        });
        expect(existsSync(join(day, 'unet/model.onnx'))).toBe(false);
        outcomes.failed++;
      }
    }
    console.log(
      `100 runs: ${outcomes.right} right, ${outcomes.failed} failed as they had to, ${outcomes.faults} faults`,
    );
    expect(outcomes.right).toBeGreaterThan(60);
    expect(outcomes.failed).toBeGreaterThan(5);
    expect(outcomes.faults).toBeGreaterThan(300);
  });
});

function randomFault(random: () => number): Fault {
  const after = Math.floor(random() * CHUNK);
  const faults: Fault[] = [
    { kind: 'status', status: 500, code: 'InternalError' },
    { kind: 'status', status: 503, code: 'SlowDown' },
    { kind: 'status', status: 400, code: 'ExpiredToken' },
    { kind: 'reset', after },
    { kind: 'cut', after },
    { kind: 'short', after },
    { kind: 'long' },
    { kind: 'flip', at: after },
    { kind: 'slow', bytesPerSecond: 1_000_000 },
    // Each of these costs the time until it is given up.
    ...(random() < 0.2 ? ([{ kind: 'stall', after }, { kind: 'hang' }] as const) : []),
  ];
  return faults[Math.floor(random() * faults.length)] as Fault;
}
