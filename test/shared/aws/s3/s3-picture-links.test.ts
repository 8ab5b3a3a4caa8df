import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { S3PictureLinks } from '../../../../functions/shared/aws/s3/s3-picture-links.js';
import { S3PredictionStore } from '../../../../functions/shared/aws/s3/s3-prediction-store.js';
import { S3Records } from '../../../../functions/shared/aws/s3/s3-records.js';
import { newPredictionId } from '../../../../lib/predictions/records/prediction-id.js';
import {
  type MotoServer,
  motoClientConfig,
  motoIsAbsent,
  startMotoServer,
} from '../../../support/servers/moto-server.js';

const BUCKET = 'results';
const NOW = Date.UTC(2026, 10, 29, 12);
const ID = newPredictionId();
const PICTURES = [
  { name: '0.png', bytes: Buffer.from('the first') },
  { name: '1.webp', bytes: Buffer.from('the second') },
];
const names = PICTURES.map(({ name }) => name);

/** Signs without asking anybody. */
function signer(credentials: object, now = NOW) {
  const region = 'eu-central-1';
  const keys = { accessKeyId: 'AKID', secretAccessKey: 'secret', sessionToken: 'the-session' };
  return new S3PictureLinks(
    new S3Client({ region, credentials: { ...keys, ...credentials } }),
    BUCKET,
    () => now,
  );
}

describe('what an address says', () => {
  test('its bucket and key, who signs and when, and that it lasts an hour', async () => {
    const { urls, expiresAt } = await signer({}).make({ id: ID, names });
    expect(expiresAt).toBe(NOW + 3_600_000);
    expect(urls.map((url) => new URL(url).pathname)).toEqual(
      names.map((name) => `/predictions/${ID}/${name}`),
    );
    const { hostname, searchParams } = new URL(urls[0] as string);
    expect(hostname).toMatch(/^results\.s3\.eu-central-1\./);
    expect(searchParams.get('X-Amz-Expires')).toBe('3600');
    expect(searchParams.get('X-Amz-Date')).toBe('20261129T120000Z');
    expect(searchParams.get('X-Amz-Security-Token')).toBe('the-session');
    expect(searchParams.get('X-Amz-SignedHeaders')).toBe('host');
    expect(searchParams.get('response-cache-control')).toBe('private, max-age=3600, immutable');
  });

  test('no longer than the session of whoever signs, where that is known', async () => {
    const links = signer({ expiration: new Date(NOW + 90_500) });
    const { urls, expiresAt } = await links.make({ id: ID, names: ['0.png'] });
    expect(expiresAt).toBe(NOW + 90_000);
    expect(new URL(urls[0] as string).searchParams.get('X-Amz-Expires')).toBe('90');
  });

  test('without credentials there is none, and the reason is not the caller\u2019s', async () => {
    const client = new S3Client({
      region: 'eu-central-1',
      credentials: () => Promise.reject(new Error('no role')),
    });
    await expect(new S3PictureLinks(client, BUCKET).make({ id: ID, names })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: 'the addresses of the pictures could not be signed',
    });
  });
});

describe.skipIf(motoIsAbsent())('pictures in a bucket', () => {
  let moto: MotoServer;
  let client: S3Client;
  let store: S3PredictionStore;
  beforeAll(async () => {
    moto = await startMotoServer();
    client = new S3Client({ ...motoClientConfig(moto.url), forcePathStyle: true });
    await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
    store = new S3PredictionStore(new S3Records(client, BUCKET));
  });
  afterAll(() => moto?.stop());

  test('are found at their addresses without a key, with their type', async () => {
    await store.createPictures(ID, PICTURES);
    const { urls } = await new S3PictureLinks(client, BUCKET).make({ id: ID, names });
    const answers = await Promise.all(urls.map((url) => fetch(url)));
    expect(await Promise.all(answers.map((answer) => answer.text()))).toEqual(['the first', 'the second']);
    expect(answers.map(({ headers }) => headers.get('content-type'))).toEqual(['image/png', 'image/webp']);
  });

  test('are written once, and read by no other name', async () => {
    await store.createPictures(ID, [{ name: '0.png', bytes: Buffer.from('another') }]);
    expect(Buffer.from((await store.readPicture(ID, '0.png')) ?? '').toString()).toBe('the first');
    expect(await store.readPicture(ID, '2.png')).toBeUndefined();
    expect(await store.readPicture(ID, '../wake.json')).toBeUndefined();
  });
});
