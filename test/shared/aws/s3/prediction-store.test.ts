import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { S3PredictionStore } from '../../../../functions/shared/aws/s3/s3-prediction-store.js';
import { S3Records } from '../../../../functions/shared/aws/s3/s3-records.js';
import { newPredictionId } from '../../../../lib/predictions/records/prediction-id.js';
import { UnreadableRecord } from '../../../../lib/predictions/records/unreadable-record.js';
import { storeContract } from '../../../support/predictions/store-contract.js';
import {
  type MotoServer,
  motoClientConfig,
  motoIsAbsent,
  startMotoServer,
} from '../../../support/servers/moto-server.js';

const Bucket = 'predictions';

describe.skipIf(motoIsAbsent())('predictions in a bucket', () => {
  let moto: MotoServer;
  let client: S3Client;
  const makeStore = () => new S3PredictionStore(new S3Records(client, Bucket));
  beforeAll(async () => {
    moto = await startMotoServer();
    client = new S3Client({ ...motoClientConfig(moto.url), forcePathStyle: true });
    await client.send(new CreateBucketCommand({ Bucket }));
  });
  afterAll(async () => {
    client?.destroy();
    await moto?.stop();
  });

  // moto looks whether a condition holds, and then writes: now and then another of its threads is between the two.
  storeContract(makeStore, 3);

  test('a claim that is damaged lets it be drawn, and not be canceled', async () => {
    const id = newPredictionId();
    await client.send(new PutObjectCommand({ Bucket, Key: `predictions/${id}/claim.json`, Body: '{' }));
    const claim = await makeStore().readClaim(id);
    expect(claim?.state).toBe('drawing');
    expect(await makeStore().replaceClaim(id, 'drawing', claim?.version)).toBeDefined();
  });

  test.each(['', '{', '{"status":"succeeded"}'])('the end of a result that is damaged: %j', async (Body) => {
    const id = newPredictionId();
    await client.send(new PutObjectCommand({ Bucket, Key: `predictions/${id}/result.json`, Body }));
    await expect(makeStore().readEnd(id)).rejects.toThrow(UnreadableRecord);
  });
});
