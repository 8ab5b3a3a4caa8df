import { expect, test } from 'vitest';
import { predictionListSchema } from '../../lib/schemas/predictions/prediction-list.js';
import { connector } from './connect.js';
import { DATE, ID, PROBLEM, prediction } from './scripts.js';

const connect = connector();

const webhook = { status: 'delivered', attempts: 1 } as const;
const page = predictionListSchema.parse({
  predictions: [
    { id: ID, created_at: DATE, completed_at: DATE, status: 'failed', status_url: 'x', webhook },
    { id: ID, created_at: DATE, status: 'queued', status_url: 'x' },
  ],
  next_cursor: `8204573799999-${ID}`,
});
const canceled = prediction({ status: 'canceled', completed_at: DATE });

test('list gives a page of summaries in the names of the client, and goes on behind it', async () => {
  const { client, seen } = await connect({ body: page }, { body: { predictions: [] } });
  const { predictions, nextCursor } = await client.list();
  expect(predictions).toEqual([
    { id: ID, createdAt: DATE, completedAt: DATE, status: 'failed', webhook },
    { id: ID, createdAt: DATE, status: 'queued' },
  ]);
  expect(await client.list({ limit: 5, cursor: nextCursor })).toEqual({ predictions: [] });
  expect(seen.map(({ path }) => path)).toEqual([
    '/prod/predictions',
    `/prod/predictions?limit=5&cursor=8204573799999-${ID}`,
  ]);
});

test('cancel gives the prediction that is not drawn, or says why it is', async () => {
  const problem = { ...PROBLEM, status: 409, detail: 'this prediction is being drawn' };
  const { client, seen } = await connect(canceled, { status: 409, body: problem });
  expect(await client.cancel(ID)).toEqual({ id: ID, createdAt: DATE, completedAt: DATE, status: 'canceled' });
  await expect(client.cancel(ID)).rejects.toMatchObject({
    status: 409,
    retryable: false,
    message: 'this prediction is being drawn',
  });
  expect(seen.map(({ method, path }) => `${method} ${path}`)).toEqual(
    Array(2).fill(`DELETE /prod/predictions/${ID}`),
  );
  await expect((async () => client.cancel('../health'))()).rejects.toThrow(/^id: /);
});

test('whoever follows what somebody cancels is told', async () => {
  const { client } = await connect(canceled);
  await expect(client.follow(ID)).rejects.toMatchObject({
    status: 410,
    message: 'the prediction was canceled',
  });
});
