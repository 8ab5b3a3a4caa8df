import {
  CreateQueueCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { countMessages } from '../../../../functions/shared/aws/sqs/count-messages.js';
import {
  type MotoServer,
  motoClientConfig,
  motoIsAbsent,
  startMotoServer,
} from '../../../support/servers/moto-server.js';

describe.skipIf(motoIsAbsent())('the messages of a queue', () => {
  let moto: MotoServer;
  let client: SQSClient;
  let QueueUrl: string;
  beforeAll(async () => {
    moto = await startMotoServer();
    client = new SQSClient(motoClientConfig(moto.url));
    const created = await client.send(new CreateQueueCommand({ QueueName: 'counted' }));
    QueueUrl = created.QueueUrl as string;
  });
  afterAll(async () => {
    client.destroy();
    await moto.stop();
  });

  const count = () => countMessages(client, QueueUrl);
  const send = (DelaySeconds = 0) =>
    client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'a message', DelaySeconds }));

  test('those that wait, that somebody has, and that come later; what is deleted is gone', async () => {
    expect(await count()).toBe(0);
    await send();
    await send();
    await send(900);
    expect(await count()).toBe(3);
    const { Messages = [] } = await client.send(new ReceiveMessageCommand({ QueueUrl }));
    expect(await count()).toBe(3);
    const [{ ReceiptHandle } = {}] = Messages;
    await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    expect(await count()).toBe(2);
  });

  test('a queue that is not there does not say how long it is: that is no empty queue', async () => {
    await expect(countMessages(client, `${QueueUrl}-gone`)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});
