import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { modelBundle } from '../../functions/import-weights/model-bundle.js';
import { customResourceHandler } from '../../functions/shared/custom-resource.js';
import { manifestSchema } from '../../lib/schemas/manifest.js';
import { createS3Client } from '../../lib/weights/sources/s3/create-s3-client.js';
import type { HubFault, HubRequestSeen } from '../support/hugging-face-server.js';
import { type CloudFormation, startCloudFormation } from '../support/infra/cloudformation.js';
import { ROOT } from '../support/reference.js';
import { type HubFront, startHubFront } from '../support/servers/hub-front.js';
import {
  type MotoServer,
  motoClientConfig,
  motoIsAbsent,
  startMotoServer,
} from '../support/servers/moto-server.js';
import { makeBucket, openUploads, readObjects, type S3Client } from '../support/weights/s3-objects.js';

const FAMILY = join(ROOT, 'test/fixtures/family/sharded');
const BUCKET = 'weights';

describe.skipIf(motoIsAbsent())('the weights as a custom resource', () => {
  let moto: MotoServer;
  let hub: HubFront;
  let cloudFormation: CloudFormation;
  let client: S3Client;
  let fault: ((request: HubRequestSeen) => HubFault | undefined) | undefined;
  beforeAll(async () => {
    moto = await startMotoServer();
    const faultFor = (request: HubRequestSeen) => fault?.(request);
    hub = await startHubFront(
      { repo: 'someone/turbo', folder: join(FAMILY, 'checkpoint'), faultFor },
      { repo: 'someone/tiny', folder: join(FAMILY, 'checkpoint-taesd') },
    );
    cloudFormation = await startCloudFormation();
    client = createS3Client(motoClientConfig(moto.url));
    await makeBucket(client, BUCKET);
    // The exporter finds S3 as the SDK does.
    vi.stubEnv('AWS_ENDPOINT_URL', moto.url);
    vi.stubEnv('AWS_REGION', 'us-east-1');
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
    vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  });
  afterAll(async () => {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
    client.destroy();
    await Promise.all([moto.stop(), hub.stop(), cloudFormation.stop()]);
  });
  afterEach(() => {
    fault = undefined;
  });

  const handler = () => customResourceHandler(modelBundle(client, { endpoint: hub.endpoint }));
  const requests = () => hub.servers.reduce((sum, server) => sum + server.requests.length, 0);
  const properties = (name: string, change: Record<string, string> = {}) => ({
    From: 'hf:someone/turbo@v1',
    Taesd: 'hf:someone/tiny@main',
    Dialect: 'standard',
    Precision: 'float16',
    Bucket: BUCKET,
    Prefix: `bundles/${name}/standard-float16-0123456789ab`,
    ...change,
  });
  const idOf = (name: string) => `s3://${BUCKET}/${properties(name).Prefix}`;
  const objects = (name: string) => readObjects(client, BUCKET, properties(name).Prefix);

  test('brought from Hugging Face, both decoders; a second time nothing is asked for', async () => {
    const told = await cloudFormation.ask(handler(), { type: 'Create', properties: properties('first') });
    expect(told).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: idOf('first') });
    const files = await objects('first');
    const manifest = manifestSchema.parse(JSON.parse(String(files.get('manifest.json'))));
    expect(manifest).toMatchObject({
      dialect: 'standard',
      precision: 'float16',
      source: { repo: 'someone/turbo', revision: hub.servers[0]?.commit },
    });
    const paths = manifest.files.map(({ path }) => path);
    expect([...files.keys()].filter((path) => path !== 'manifest.json').sort()).toEqual(paths.sort());
    expect(paths).toContain('taesd_decoder/model.onnx');
    expect(await openUploads(client, BUCKET)).toEqual([]);

    const before = requests();
    const again = await cloudFormation.ask(handler(), {
      type: 'Update',
      id: told.PhysicalResourceId,
      properties: properties('first'),
    });
    expect(again).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: idOf('first') });
    expect(requests()).toBe(before);
  });

  test('an update: the new bundle beside the old one, which goes when CloudFormation says so', async () => {
    const create = await cloudFormation.ask(handler(), { type: 'Create', properties: properties('old') });
    const update = await cloudFormation.ask(handler(), {
      type: 'Update',
      id: create.PhysicalResourceId,
      properties: properties('new', { Precision: 'float32' }),
    });
    expect(update.PhysicalResourceId).toBe(idOf('new'));
    const counts = async () => [(await objects('old')).size > 0, (await objects('new')).size > 0];
    expect(await counts()).toEqual([true, true]);
    // By the old id, whatever the properties say by then.
    await cloudFormation.ask(handler(), {
      type: 'Delete',
      id: create.PhysicalResourceId,
      properties: properties('new'),
    });
    expect(await counts()).toEqual([false, true]);
  });

  test('deleted is only what it has made', async () => {
    await cloudFormation.ask(handler(), { type: 'Create', properties: properties('kept') });
    const remove = (id: string) =>
      cloudFormation.ask(handler(), { type: 'Delete', id, properties: properties('kept') });
    const before = (await objects('kept')).size;
    for (const told of [
      await remove('Thing'),
      await remove(`s3://${BUCKET}/bundles-of-others/kept`),
      await remove(`s3://${BUCKET}/`),
    ]) {
      expect(told.Status).toBe('SUCCESS');
    }
    expect((await objects('kept')).size).toBe(before);
    expect((await remove(idOf('kept'))).Status).toBe('SUCCESS');
    expect((await objects('kept')).size).toBe(0);
    // CloudFormation may ask again, also when the bucket has gone.
    expect((await remove(idOf('kept'))).Status).toBe('SUCCESS');
    expect((await remove('s3://no-such-bucket/bundles/x')).Status).toBe('SUCCESS');
  });

  const reasons: [string, () => void, Record<string, string>, RegExp][] = [
    [
      'no such repository',
      () => undefined,
      { From: 'hf:someone/else' },
      /hf:someone\/else.*does not exist|no access/,
    ],
    [
      'no such commit',
      () => undefined,
      { From: `hf:someone/turbo@${'0'.repeat(40)}` },
      /no revision|revision/,
    ],
    [
      'a wrong file',
      () => {
        fault = ({ host, url }) =>
          host === 'cdn' && url.startsWith('/unet/') ? { kind: 'status', status: 404 } : undefined;
      },
      {},
      /unet/,
    ],
    ['a wrong property', () => undefined, { Prefix: 'elsewhere/x' }, /property Prefix/],
    ['no such bucket', () => undefined, { Bucket: 'no-such-bucket' }, /no-such-bucket/],
  ];
  test.each(reasons)(
    '%s: a reason in one line, and nothing is left',
    async (name, arrange, change, reason) => {
      arrange();
      const place = name.replaceAll(' ', '-');
      const told = await cloudFormation.ask(handler(), {
        type: 'Create',
        properties: properties(place, change),
      });
      expect(told.Status).toBe('FAILED');
      expect(told.Reason).toMatch(reason);
      expect(told.Reason).not.toContain('\n');
      expect((await objects(place)).size).toBe(0);
      expect(await openUploads(client, BUCKET)).toEqual([]);
    },
  );

  test('out of time: it says how far it came, and the next call goes through', async () => {
    fault = ({ host, url }) => (host === 'cdn' && url.startsWith('/vae/') ? { kind: 'hang' } : undefined);
    const told = await cloudFormation.ask(handler(), {
      type: 'Create',
      properties: properties('slow'),
      remaining: 32_000,
    });
    expect(told.Status).toBe('FAILED');
    expect(told.Reason).toMatch(/took longer than 0\.0 minutes \(0\.00 of 0\.00 GB\).*modelUri=s3:/);
    expect((await objects('slow')).size).toBe(0);
    fault = undefined;
    const again = await cloudFormation.ask(handler(), { type: 'Create', properties: properties('slow') });
    expect(again.Status).toBe('SUCCESS');
  });
});
