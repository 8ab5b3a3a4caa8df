import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { webhookSecret } from '../../../functions/shared/aws/webhook-secret.js';
import { type MotoServer, motoIsAbsent, startMotoServer } from '../../support/servers/moto-server.js';

const SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
const OTHER = `whsec_${Buffer.alloc(32, 2).toString('base64')}`;

describe.skipIf(motoIsAbsent())('the webhook secret in SSM', () => {
  let moto: MotoServer;
  let client: SSMClient;
  let requests = 0;
  const config = () => ({
    endpoint: moto.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });

  beforeAll(async () => {
    moto = await startMotoServer();
    client = new SSMClient(config());
    client.middlewareStack.add(
      (next) => (args) => {
        requests += 1;
        return next(args);
      },
      { step: 'build' },
    );
  });
  afterAll(async () => {
    client.destroy();
    await moto.stop();
  });

  const put = (Name: string, Value: string) =>
    client.send(new PutParameterCommand({ Name, Value, Type: 'SecureString', Overwrite: true }));

  test('is decrypted, and read once', async () => {
    await put('/sd-turbo/once', SECRET);
    const read = webhookSecret({ client, parameter: '/sd-turbo/once' });
    const before = requests;
    expect(await Promise.all([read(), read()])).toEqual([SECRET, SECRET]);
    await put('/sd-turbo/once', OTHER);
    expect(await read()).toBe(SECRET);
    // One to read, one to put.
    expect(requests - before).toBe(2);
  });

  test('that is absent, then no secret, then there, is asked for each time', async () => {
    const parameter = '/sd-turbo/later';
    const read = webhookSecret({ client, parameter });
    await expect(read()).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: `there is no SSM parameter ${parameter}`,
    });
    await put(parameter, 'whsec_hunter2');
    await expect(read()).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.not.stringContaining('hunter2'),
    });
    await put(parameter, SECRET);
    expect(await read()).toBe(SECRET);
  });

  test('that cannot be asked for is asked for again', async () => {
    await put('/sd-turbo/unreachable', SECRET);
    const flaky = new SSMClient(config());
    let broken = true;
    flaky.middlewareStack.add(
      (next) => (args) => (broken ? Promise.reject(new Error('connect ECONNREFUSED')) : next(args)),
      { step: 'build' },
    );
    const read = webhookSecret({ client: flaky, parameter: '/sd-turbo/unreachable' });
    await expect(read()).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true });
    broken = false;
    expect(await read()).toBe(SECRET);
    flaky.destroy();
  });
});
