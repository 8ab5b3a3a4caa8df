import { GetObjectCommand, ListBucketsCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { MARKER, type Setting } from '../../api/contract/setting.js';
import type { Account } from '../account.js';
import type { AccountApi } from '../account-api.js';
import type { DeployedStack } from '../deployed-stack.js';

const DAY_MS = 86_400_000;

/** The API contract's view of a deployed stack: through the gateway, with its keys. */
export async function settingOf(
  { emulator, side }: Account,
  api: AccountApi,
  stack: DeployedStack,
  stranger: string,
): Promise<Setting> {
  const { Buckets = [] } = await api.s3.send(new ListBucketsCommand({}));
  const Bucket = Buckets.find(({ Name }) => Name?.startsWith(`${stack.name}-results`))?.Name;
  return {
    send: async (request) => withoutOwnHeaders(await stack.fetch(request)),
    baseUrl: stack.url,
    credentials: { authorization: `Api-Key ${stack.key}` },
    stranger: { 'x-api-key': stranger },
    checksKeys: true,
    isBehindGateway: true,
    side,
    drawn: async () => (await emulator.component(stack.name)).drawn,
    sleep: () => stack.sleep(),
    expire: async (id) => {
      const Key = `predictions/${id}/request.json`;
      const { Body } = await api.s3.send(new GetObjectCommand({ Bucket, Key }));
      const record = JSON.parse((await Body?.transformToString()) ?? '');
      const created_at = new Date(Date.now() - DAY_MS - 1000).toISOString();
      await api.s3.send(
        new PutObjectCommand({ Bucket, Key, Body: JSON.stringify({ ...record, created_at }) }),
      );
    },
    output: () => emulator.log('functions'),
    stop: async () => undefined,
  };
}

/** An answer less what gateways and emulators add for themselves. */
function withoutOwnHeaders(response: Response): Response {
  const headers = [...response.headers].filter(([name]) => !/^(x-amzn?-|access-control-)/.test(name));
  const { status, body } = response;
  return new Response(body, { status, headers });
}

/** Of the key that the contract's requests have: no log may show it. */
export const KEY = `mine-${MARKER}-of-the-tour`;
