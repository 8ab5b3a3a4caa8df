import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ImportContext, importCheckpoint } from '../../lib/export/import-checkpoint.js';
import { BUNDLE_VERSION, CHUNK_SIZE, type Manifest } from '../../lib/schemas/manifest.js';
import { createS3WriteClient } from '../../lib/weights/sources/s3/s3-write-client.js';
import { differences, randomBundle, readTree, writeBundle } from '../support/graphs/random-bundle.js';
import {
  type HubFault,
  type HubRequestSeen,
  type HuggingFaceServer,
  startHuggingFaceServer,
} from '../support/hugging-face-server.js';
import { hasReference, REFERENCE, ROOT } from '../support/reference.js';
import {
  type Fault,
  type FaultProxy,
  type ProxiedRequest,
  startFaultProxy,
} from '../support/servers/fault-proxy.js';
import {
  type MotoServer,
  motoClientConfig,
  motoIsAbsent,
  startMotoServer,
} from '../support/servers/moto-server.js';
import {
  makeBucket,
  openUploads,
  putFolder,
  readObjects,
  type S3Client,
} from '../support/weights/s3-objects.js';

const MODEL = join(ROOT, 'lib/demo-model/model');
const DEMO_BUNDLE = join(ROOT, 'lib/demo-model/bundle');
const REPO = 'someone/demo-model';
const UNET = 'unet/diffusion_pytorch_model.safetensors';
const BUCKET = 'models';

const scratch = mkdtempSync(join(tmpdir(), 'import-network-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const folder = (name: string) => mkdtempSync(join(scratch, `${name}-`));

const noPauses = { policy: { retries: 2, sleep: async () => undefined } };

/** Both faults can be changed from test to test; the servers stay. */
const faults: {
  hub?: ((request: HubRequestSeen) => HubFault | undefined) | undefined;
  s3?: ((request: ProxiedRequest) => Fault | undefined) | undefined;
} = {};
let hub: HuggingFaceServer;
beforeAll(async () => {
  hub = await startHuggingFaceServer({
    repo: REPO,
    folder: MODEL,
    faultFor: (request) => faults.hub?.(request),
  });
});
afterAll(() => hub.stop());
const hubContext = (): ImportContext => ({ hub: { endpoint: hub.endpoint }, ...noPauses });

/** Of a weights file: its header is shorter, a kernel that is summed up does not begin the file. */
function isWhole({ host, headers }: HubRequestSeen): boolean {
  const [start, end] = (headers.range ?? '').replace('bytes=', '').split('-').map(Number);
  return host === 'cdn' && start === 0 && (end as number) > 200_000;
}

/** Runs `use` with a fault of the hub. */
async function withHubFault<T>(fault: typeof faults.hub, use: () => Promise<T>): Promise<T> {
  faults.hub = fault;
  try {
    return await use();
  } finally {
    delete faults.hub;
  }
}

/** What an import from this machine makes. */
async function demoBundle(): Promise<Map<string, Buffer>> {
  const to = join(scratch, 'from-here');
  if (!existsSync(to)) await importCheckpoint({ from: MODEL, to });
  return readTree(to);
}

function assertSame(actual: ReadonlyMap<string, Buffer>, expected: ReadonlyMap<string, Buffer>): void {
  expect([...actual.keys()].sort()).toEqual([...expected.keys()].sort());
  for (const [path, bytes] of expected) expect(actual.get(path)?.equals(bytes), path).toBe(true);
}

describe('from Hugging Face to a directory', () => {
  test('makes the bundle that the same files make here, and records repository and commit', async () => {
    const to = join(folder('plain'), 'bundle');
    const progress: [number, number][] = [];
    const onProgress = (done: number, total: number) => progress.push([done, total]);
    const manifest = await importCheckpoint({ from: `hf:${REPO}@main`, to, onProgress }, hubContext());
    assertSame(await readTree(to), await demoBundle());
    expect(manifest.source).toEqual({ repo: REPO, revision: hub.commit });
    expect(JSON.parse(readFileSync(join(to, 'manifest.json'), 'utf8'))).toEqual(manifest);
    const total = manifest.files.reduce((sum, { size }) => sum + size, 0);
    expect(progress.at(-1)).toEqual([total, total]);
    expect(progress.map(([done]) => done)).toEqual([...progress.map(([done]) => done)].sort((a, b) => a - b));
  });

  // sd-turbo import --from lib/demo-model/model --encoder --to lib/demo-model/bundle makes it anew.
  test('makes the bundle that is part of the package, but for graphs of an older format', async () => {
    const committed: Manifest = JSON.parse(readFileSync(join(DEMO_BUNDLE, 'manifest.json'), 'utf8'));
    const to = join(folder('package'), 'bundle');
    const { files } = await importCheckpoint({ from: MODEL, to, encoder: true });
    const isToday = committed.version === BUNDLE_VERSION;
    const compared = (of: Manifest['files']) => of.filter(({ path }) => isToday || !path.endsWith('.onnx'));
    expect(compared(files)).toEqual(compared(committed.files));
  });

  test('rewrites weights on the way, through broken connections too', async () => {
    const [here, there] = ['here', 'there'].map((name) => join(folder(name), 'bundle')) as [string, string];
    await importCheckpoint({ from: MODEL, to: here, dialect: 'cuda' });
    let requests = 0;
    await withHubFault(
      ({ host, url }) =>
        host === 'cdn' && url.startsWith('/unet/') && ++requests % 5 === 0
          ? { kind: 'cut', after: 100 }
          : undefined,
      () => importCheckpoint({ from: `hf:${REPO}`, to: there, dialect: 'cuda' }, hubContext()),
    );
    const [expected, got] = [await readTree(here), await readTree(there)];
    for (const files of [expected, got]) files.delete('manifest.json');
    assertSame(got, expected);
    expect(requests).toBeGreaterThan(10);
  });

  test('a wrong byte of the weights is refused, and nothing is left', async () => {
    const parent = folder('flipped');
    const isWeights = ({ host, url, headers }: HubRequestSeen) =>
      host === 'cdn' && url.startsWith('/unet/') && Number(headers.range?.split('-')[1]) > 1_000_000;
    const failing = withHubFault(
      (request) => (isWeights(request) ? { kind: 'flip' } : undefined),
      () => importCheckpoint({ from: `hf:${REPO}`, to: join(parent, 'bundle') }, hubContext()),
    );
    await expect(failing).rejects.toThrow(
      /hf:someone\/demo-model@.*\/unet\/.* is damaged: its sha256 is .* instead of/,
    );
    expect(readdirSync(parent)).toEqual([]);
  });

  test('a failure in the middle leaves nothing, and an older bundle as it was', async () => {
    const parent = folder('failed');
    const to = join(parent, 'bundle');
    await importCheckpoint({ from: MODEL, to });
    const before = readFileSync(join(to, 'manifest.json'));
    const failing = withHubFault(
      ({ host, url }) =>
        host === 'cdn' && url.startsWith('/vae/') ? { kind: 'status', status: 500 } : undefined,
      () => importCheckpoint({ from: `hf:${REPO}`, to }, hubContext()),
    );
    await expect(failing).rejects.toMatchObject({ code: 'UNAVAILABLE', message: /vae.*\(3 attempts\)/ });
    expect(readdirSync(parent)).toEqual(['bundle']);
    expect(readFileSync(join(to, 'manifest.json')).equals(before)).toBe(true);
  });

  test('the signal stops it, and nothing is left', async () => {
    const parent = folder('stopped');
    const stop = new AbortController();
    const failing = withHubFault(
      ({ host, url }) => {
        if (host !== 'cdn' || !url.startsWith('/vae/')) return undefined;
        stop.abort(new Error('enough'));
        return { kind: 'hang' };
      },
      () =>
        importCheckpoint(
          { from: `hf:${REPO}`, to: join(parent, 'bundle') },
          { ...hubContext(), signal: stop.signal },
        ),
    );
    await expect(failing).rejects.toThrow('enough');
    expect(readdirSync(parent)).toEqual([]);
  });

  test('what a killed import had finished is not fetched again, what it had begun is', async () => {
    const parent = folder('killed');
    const to = join(parent, 'bundle');
    // No process has that number: Linux counts to 2^22.
    const left = `${to}.partial-99999999-00000000-0000-0000-0000-000000000000`;
    await importCheckpoint({ from: MODEL, to: left });
    rmSync(join(left, 'manifest.json'));
    // Copies: the links lead to the checkpoint.
    for (const path of [
      UNET,
      'vae_decoder/diffusion_pytorch_model.safetensors',
      'text_encoder/model.safetensors',
    ]) {
      const bytes = readFileSync(join(left, path));
      rmSync(join(left, path));
      writeFileSync(join(left, path), bytes);
    }
    appendFileSync(join(left, 'text_encoder/model.safetensors'), 'x');
    const flipped = readFileSync(join(left, 'vae_decoder/diffusion_pytorch_model.safetensors'));
    flipped[flipped.length - 1] = (flipped.at(-1) ?? 0) ^ 1;
    writeFileSync(join(left, 'vae_decoder/diffusion_pytorch_model.safetensors'), flipped);
    writeFileSync(join(left, `${UNET}.partial`), 'x');

    const before = hub.requests.length;
    await importCheckpoint({ from: `hf:${REPO}`, to }, hubContext());
    assertSame(await readTree(to), await demoBundle());
    expect(readdirSync(parent)).toEqual(['bundle']);
    const whole = hub.requests.slice(before).filter(isWhole);
    expect(whole.map(({ url }) => url.split('?')[0]).sort()).toEqual([
      '/text_encoder/model.safetensors',
      '/vae/diffusion_pytorch_model.safetensors',
    ]);
  });

  test.each([
    [{ from: `hf:${REPO}`, revision: 'v2' }, /has no revision v2/],
    [{ from: `hf:${REPO}@main`, revision: 'v1' }, /two revisions are named: main and v1/],
    [{ from: MODEL, revision: 'main' }, /a revision can only be named for hf:/],
    [{ from: `hf:${REPO}`, revision: '../x' }, /is not a branch, tag or commit/],
    [{ from: 'hf:a/b/c' }, /is not of the form hf:OWNER\/NAME/],
    [{ from: 'hf:' }, /is not of the form hf:OWNER\/NAME/],
    [{ from: 's3://B' }, /is not of the form s3:/],
  ])('refused: %j', async (options, message) => {
    const parent = folder('refused');
    await expect(importCheckpoint({ ...options, to: join(parent, 'b') }, hubContext())).rejects.toThrow(
      message,
    );
    expect(readdirSync(parent)).toEqual([]);
  });

  test('Hugging Face is no place to write to', async () => {
    await expect(importCheckpoint({ from: MODEL, to: 'hf:a/b' })).rejects.toThrow(
      /hf:a\/b can only be read from: sd-turbo import --from hf:a\/b/,
    );
  });
});

test.skipIf(!hasReference)('a TAESD decoder from Hugging Face, which has it at its top', async () => {
  const [from, taesd] = ['tiny-turbo', 'tiny-turbo-taesd'].map((name) =>
    join(REFERENCE, 'checkpoints', name),
  ) as [string, string];
  const [here, there] = [join(folder('taesd'), 'b'), join(folder('taesd'), 'b')];
  const server = await startHuggingFaceServer({ repo: 'someone/taesd', folder: taesd });
  try {
    await importCheckpoint({ from, taesd, to: here });
    const hubOfTaesd = { hub: { endpoint: server.endpoint } };
    await importCheckpoint({ from, taesd: `hf:someone/taesd@${server.commit}`, to: there }, hubOfTaesd);
  } finally {
    await server.stop();
  }
  assertSame(await readTree(there), await readTree(here));
  expect(readdirSync(there)).toContain('taesd_decoder');
});

describe('a finished bundle', () => {
  const bundle = randomBundle({ 'unet/a.safetensors': 2 * CHUNK_SIZE + 5, 'b/empty': 0, c: 1 }, CHUNK_SIZE);

  test('is copied from directory to directory', async () => {
    const [from, to] = [folder('bundle'), join(folder('copy'), 'b')];
    await writeBundle(from, bundle);
    expect(await importCheckpoint({ from, to })).toEqual(bundle.manifest);
    expect(await differences(to, bundle)).toEqual([]);
  });

  test('with a wrong byte is refused', async () => {
    for (const path of ['unet/a.safetensors', 'c']) {
      const [from, parent] = [folder('bundle'), folder('copy')];
      await writeBundle(from, bundle);
      const bytes = Buffer.from(bundle.contents.get(path) as Buffer);
      bytes[0] = (bytes[0] ?? 0) ^ 1;
      writeFileSync(join(from, path), bytes);
      const failing = importCheckpoint({ from, to: join(parent, 'b') });
      await expect(failing).rejects.toMatchObject({
        code: 'INVALID_FILE',
        message: expect.stringContaining(path),
      });
      expect(readdirSync(parent)).toEqual([]);
    }
  });

  test('is not made into another kind', async () => {
    const from = folder('bundle');
    await writeBundle(from, bundle);
    const to = join(folder('copy'), 'b');
    await expect(importCheckpoint({ from, to, precision: 'float16' })).rejects.toThrow(
      /precision float32, not float16/,
    );
    await expect(importCheckpoint({ from, to, taesd: from })).rejects.toThrow(
      /no TAESD decoder can be added/,
    );
  });
});

describe.skipIf(motoIsAbsent())('S3', () => {
  let moto: MotoServer;
  let proxy: FaultProxy;
  let client: S3Client;
  beforeAll(async () => {
    moto = await startMotoServer();
    proxy = await startFaultProxy({ target: moto.url, faultFor: (request) => faults.s3?.(request) });
    client = createS3WriteClient(motoClientConfig(proxy.url));
    await makeBucket(client, BUCKET);
  });
  afterAll(async () => {
    client.destroy();
    await proxy.stop();
    await moto.stop();
  });
  const context = (): ImportContext => ({ ...hubContext(), s3: client });
  const written = () => proxy.requests.filter(({ method }) => method !== 'GET' && method !== 'HEAD');

  async function withS3Fault<T>(fault: typeof faults.s3, use: () => Promise<T>): Promise<T> {
    faults.s3 = fault;
    try {
      return await use();
    } finally {
      delete faults.s3;
    }
  }

  test('Hugging Face to S3, and again: only what is new is written', async () => {
    const to = `s3://${BUCKET}/from-hub`;
    const manifest = await importCheckpoint({ from: `hf:${REPO}`, to }, context());
    const objects = await readObjects(client, BUCKET, 'from-hub');
    expect(JSON.parse(objects.get('manifest.json')?.toString() ?? '')).toEqual(manifest);
    objects.delete('manifest.json');
    assertSame(objects, await demoBundle());
    expect(await openUploads(client, BUCKET)).toEqual([]);
    expect(written().at(-1)).toMatchObject({ method: 'PUT', path: `/${BUCKET}/from-hub/manifest.json` });

    const before = written().length;
    const cdn = hub.requests.length;
    expect(await importCheckpoint({ from: `hf:${REPO}`, to }, context())).toEqual(manifest);
    expect(written().slice(before)).toEqual([]);
    // Headers of the weights, which the graphs are made from, and the kernels that are summed up.
    expect(hub.requests.slice(cdn).filter(isWhole)).toEqual([]);

    await importCheckpoint({ from: `hf:${REPO}`, to, precision: 'float16' }, context());
    const puts = new Set(
      written()
        .slice(before)
        .filter(({ method }) => method === 'PUT')
        .map(({ path }) => path),
    );
    expect([...puts].sort()).toEqual(
      [
        ...['text_encoder', 'unet', 'vae_decoder'].map((part) => `${part}/model.onnx`),
        ...['unet', 'vae_decoder'].map((part) => `${part}/summed.bin`),
        'manifest.json',
      ]
        .map((path) => `/${BUCKET}/from-hub/${path}`)
        .sort(),
    );
  });

  test('an object that was changed behind the manifest is written again', async () => {
    const to = `s3://${BUCKET}/changed`;
    await importCheckpoint({ from: MODEL, to }, context());
    // S3 tells times in seconds.
    await new Promise((resolve) => setTimeout(resolve, 1100));
    const size = statSync(join(MODEL, UNET)).size;
    const other = folder('other');
    mkdirSync(join(other, 'unet'));
    writeFileSync(join(other, UNET), Buffer.alloc(size));
    await putFolder(client, BUCKET, 'changed', other);
    await importCheckpoint({ from: MODEL, to }, context());
    const objects = await readObjects(client, BUCKET, 'changed');
    expect(objects.get(UNET)?.equals(readFileSync(join(MODEL, UNET)))).toBe(true);
  });

  test('a checkpoint on S3 to a directory and to another prefix', async () => {
    await putFolder(client, BUCKET, 'checkpoints/demo', MODEL);
    const from = `s3://${BUCKET}/checkpoints/demo/`;
    const to = join(folder('from-s3'), 'b');
    const manifest = await importCheckpoint({ from, to }, context());
    expect(manifest.source).toEqual({ repo: 'sd-turbo-demo', revision: null });
    assertSame(await readTree(to), await demoBundle());
    await importCheckpoint({ from, to: `s3://${BUCKET}/from-s3` }, context());
    const objects = await readObjects(client, BUCKET, 'from-s3');
    objects.delete('manifest.json');
    assertSame(objects, await demoBundle());
  });

  test('a bundle of several parts goes there and back, one part at a time failing once', async () => {
    const bundle = randomBundle({ 'unet/a.safetensors': 2 * CHUNK_SIZE + 5, 'b/empty': 0, c: 1 }, CHUNK_SIZE);
    const from = folder('bundle');
    await writeBundle(from, bundle);
    const seen = new Set<string>();
    const firstTime = ({ method, path }: ProxiedRequest): Fault | undefined => {
      if (method !== 'PUT' || seen.has(path)) return undefined;
      seen.add(path);
      return { kind: 'status', status: 503, code: 'SlowDown' };
    };
    await withS3Fault(firstTime, () => importCheckpoint({ from, to: `s3://${BUCKET}/bundle` }, context()));
    const sums = written()
      .filter(({ method, path }) => method === 'PUT' && path.endsWith('/bundle/unet/a.safetensors'))
      .map(({ headers }) => Buffer.from(String(headers['x-amz-checksum-crc32']), 'base64').toString('hex'));
    expect(new Set(sums)).toEqual(new Set(bundle.manifest.files[0]?.crc32));
    const back = join(folder('back'), 'b');
    await importCheckpoint({ from: `s3://${BUCKET}/bundle`, to: back }, context());
    expect(await differences(back, bundle)).toEqual([]);
    const flip = ({ method, path }: ProxiedRequest): Fault | undefined =>
      method === 'GET' && path.endsWith('a.safetensors') ? { kind: 'flip', at: 7 } : undefined;
    const failing = withS3Fault(flip, () =>
      importCheckpoint({ from: `s3://${BUCKET}/bundle`, to: join(folder('back'), 'b') }, context()),
    );
    await expect(failing).rejects.toThrow(
      /a\.safetensors .*crc32 differs from the manifest's \(3 attempts\)/,
    );
  });

  test('a failure in the middle leaves no object and no upload; the next import succeeds', async () => {
    const refuse = ({ method, path }: ProxiedRequest): Fault | undefined =>
      method === 'PUT' && path.includes('/vae_decoder/diff')
        ? { kind: 'status', status: 403, code: 'AccessDenied' }
        : undefined;
    const to = `s3://${BUCKET}/failed`;
    const failing = withS3Fault(refuse, () => importCheckpoint({ from: MODEL, to }, context()));
    await expect(failing).rejects.toThrow(
      /^cannot write s3:\/\/models\/failed\/vae_decoder\/.*AccessDenied.*s3:PutObject/,
    );
    expect(await readObjects(client, BUCKET, 'failed')).toEqual(new Map());
    expect(await openUploads(client, BUCKET)).toEqual([]);
    await importCheckpoint({ from: MODEL, to }, context());
  });

  test('the signal stops it, and no object and no upload is left', async () => {
    const stop = new AbortController();
    const hang = ({ method, path }: ProxiedRequest): Fault | undefined => {
      if (method !== 'PUT' || !path.includes('/vae_decoder/diff')) return undefined;
      stop.abort(new Error('enough'));
      return { kind: 'hang' };
    };
    const to = `s3://${BUCKET}/stopped`;
    const failing = withS3Fault(hang, () =>
      importCheckpoint({ from: MODEL, to }, { ...context(), signal: stop.signal }),
    );
    await expect(failing).rejects.toThrow('enough');
    expect(await readObjects(client, BUCKET, 'stopped')).toEqual(new Map());
    expect(await openUploads(client, BUCKET)).toEqual([]);
  });

  test('a failure while the objects become visible takes them away again', async () => {
    const refuse = ({ method, path }: ProxiedRequest): Fault | undefined =>
      method === 'PUT' && path.endsWith('manifest.json')
        ? { kind: 'status', status: 403, code: 'AccessDenied' }
        : undefined;
    const failing = withS3Fault(refuse, () =>
      importCheckpoint({ from: MODEL, to: `s3://${BUCKET}/late` }, context()),
    );
    await expect(failing).rejects.toThrow(/manifest\.json/);
    expect(await readObjects(client, BUCKET, 'late')).toEqual(new Map());
    expect(await openUploads(client, BUCKET)).toEqual([]);
  });

  test('a failure leaves an older bundle whole', async () => {
    const to = `s3://${BUCKET}/older`;
    await importCheckpoint({ from: MODEL, to }, context());
    const before = await readObjects(client, BUCKET, 'older');
    const refuse = ({ method, path }: ProxiedRequest): Fault | undefined =>
      method === 'PUT' && path.endsWith('unet/model.onnx')
        ? { kind: 'status', status: 403, code: 'AccessDenied' }
        : undefined;
    const failing = withS3Fault(refuse, () =>
      importCheckpoint({ from: MODEL, to, precision: 'float16' }, context()),
    );
    await expect(failing).rejects.toThrow(/AccessDenied/);
    assertSame(await readObjects(client, BUCKET, 'older'), before);
  });

  test('a smaller bundle takes the place of a larger one with all its files', async () => {
    const [large, small] = [
      randomBundle({ a: 10, b: 10 }, CHUNK_SIZE),
      randomBundle({ a: 10 }, CHUNK_SIZE, 2),
    ];
    const to = `s3://${BUCKET}/replaced`;
    for (const bundle of [large, small]) {
      const from = folder('bundle');
      await writeBundle(from, bundle);
      await importCheckpoint({ from, to }, context());
    }
    const objects = await readObjects(client, BUCKET, 'replaced');
    expect([...objects.keys()].sort()).toEqual(['a', 'manifest.json']);
    expect(objects.get('a')?.equals(small.contents.get('a') as Buffer)).toBe(true);
  });

  test('what a killed import has left is taken away by the next', async () => {
    const to = `s3://${BUCKET}/killed`;
    const { CreateMultipartUploadCommand } = await import('@aws-sdk/client-s3');
    for (const Key of [`killed/${UNET}`, 'killed/of-another'])
      await client.send(new CreateMultipartUploadCommand({ Bucket: BUCKET, Key }));
    await importCheckpoint({ from: MODEL, to }, context());
    expect(await openUploads(client, BUCKET)).toEqual(['killed/of-another']);
  });

  test('a prefix with something else in it is refused', async () => {
    const other = folder('precious');
    cpSync(join(ROOT, 'LICENSE'), join(other, 'precious'));
    await putFolder(client, BUCKET, 'mine', other);
    const before = written().length;
    const refused = importCheckpoint({ from: MODEL, to: `s3://${BUCKET}/mine` }, context());
    await expect(refused).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: 's3://models/mine is not empty and not a bundle (it has precious): name a new prefix',
    });
    expect(written().slice(before)).toEqual([]);
  });

  test("another program's manifest is left alone, a damaged one of ours replaced", async () => {
    const { PutObjectCommand } = await import('@aws-sdk/client-s3');
    const put = (Key: string, Body: string) =>
      client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body }));
    await put('site/manifest.json', '{"name": "a web page"}');
    await expect(
      importCheckpoint({ from: MODEL, to: `s3://${BUCKET}/site` }, context()),
    ).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: "s3://models/site has a manifest.json that is no bundle's: name a new prefix",
    });
    expect([...(await readObjects(client, BUCKET, 'site')).values()].map(String)).toEqual([
      '{"name": "a web page"}',
    ]);
    await put('damaged/manifest.json', '{"format": "sd-turbo-bundle"}');
    await importCheckpoint({ from: MODEL, to: `s3://${BUCKET}/damaged` }, context());
    expect((await readObjects(client, BUCKET, 'damaged')).size).toBeGreaterThan(10);
  });

  test('a missing bucket is named', async () => {
    for (const options of [
      { from: 's3://no-such-bucket/x', to: join(folder('none'), 'b') },
      { from: MODEL, to: 's3://no-such-bucket/x' },
    ]) {
      await expect(importCheckpoint(options, context())).rejects.toThrow(
        /s3:\/\/no-such-bucket.*bucket does not exist/,
      );
    }
  });

  test('without region or credentials it says what to set', async () => {
    const noRegion = createS3WriteClient({
      region: async () => {
        throw new Error('Region is missing');
      },
    });
    const noCredentials = createS3WriteClient({
      region: 'us-east-1',
      credentials: async () => {
        throw new Error('none');
      },
    });
    for (const [s3, message] of [
      [noRegion, /no AWS region is set: set AWS_REGION/],
      [noCredentials, /no AWS credentials were found: set AWS_PROFILE/],
    ] as const) {
      await expect(importCheckpoint({ from: MODEL, to: 's3://bucket/x' }, { s3 })).rejects.toThrow(message);
    }
  });
});
