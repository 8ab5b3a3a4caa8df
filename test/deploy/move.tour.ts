import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROOT } from '../support/reference.js';
import { Account, OPTIONS } from './account.js';
import { AccountApi } from './account-api.js';
import { Cdk } from './cdk.js';
import { DeployedStack } from './deployed-stack.js';
import { leftovers } from './steps/leftovers.js';

// An older commit is deployed and used, then this checkout over it: what holds data, or has an address, stays. By hand, since
// it needs the history:
//
//   MOVE_FROM=39c20ff [BACKEND=ec2] npm run test:deploy -- test/deploy/move.tour.ts

const NAME = 'sd-turbo';
/** Kinds of the inventory that hold data, or have an address. A deployment is the gateway's copy of its routes. */
const LASTING = /^(s3|sqs|ssm|\w*logs|apigateway\w*)\.(?!.*deployments)/;

const { MOVE_FROM: commit, BACKEND: backend = 'sagemaker' } = process.env;

/** What callers and the owner hold of a service. */
interface Holdings {
  readonly url: string;
  readonly keyId: string;
  readonly key: string;
  readonly secret: string;
  /** Names of objects that are no weights, by bucket. */
  readonly objects: Readonly<Record<string, readonly string[]>>;
}

/** The older commit's files, with the packages of this checkout. */
function checkOut(folder: string): string {
  mkdirSync(folder);
  const archive = execFileSync('git', ['archive', commit as string], { cwd: ROOT, maxBuffer: 2 ** 30 });
  execFileSync('tar', ['-x'], { cwd: folder, input: archive });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

describe.skipIf(!commit)(`from ${commit} to this checkout, ${backend}`, () => {
  const options = { ...OPTIONS, backend, ...(backend === 'ec2' && { idleSeconds: '600' }) };
  let account: Account;
  let api: AccountApi;
  let stack: DeployedStack;
  let id: string;
  let before: Holdings;
  let inventory: Record<string, string[]>;

  beforeAll(async () => {
    account = await Account.open();
    api = new AccountApi(account.emulator);
    await account.bootstrap();
  });
  afterAll(() => account?.close());

  async function holdings({
    Url: url = '',
    ApiKeyId: keyId = '',
  }: Record<string, string>): Promise<Holdings> {
    const { 's3.buckets_meta': buckets = [] } = await account.emulator.inventory();
    const objects = buckets
      .filter((bucket) => bucket.startsWith(NAME))
      .map(async (bucket) => {
        const keys = await api.keys(bucket);
        return [bucket, keys.filter((key) => !key.startsWith('bundles/'))] as const;
      });
    return {
      ...{ url, keyId, key: await api.apiKey(keyId), secret: await api.secret(`/${NAME}/webhook-secret`) },
      objects: Object.fromEntries(await Promise.all(objects)),
    };
  }

  async function draw(): Promise<string> {
    const accepted = await stack.predict({ prompt: 'a tree' }, { prefer: 'respond-async' });
    const { id } = (await accepted.json()) as { id: string };
    expect(await stack.ended(id)).toMatchObject({ status: 'succeeded' });
    return id;
  }

  test('the older one is deployed, and has drawn', async () => {
    const { emulator, work } = account;
    const older = new Cdk({ emulator, root: checkOut(join(work, 'older')), work });
    const outputs = await older.deploy(NAME, options);
    const { url, key } = await holdings(outputs);
    stack = new DeployedStack({ emulator, name: NAME, url, key });
    id = await draw();
    before = await holdings(outputs);
    inventory = await emulator.inventory();
    expect(Object.values(before.objects).flat().length).toBeGreaterThan(0);
  });

  test('this checkout is deployed over it: address, key, secret and objects stay', async () => {
    const after = await holdings(await account.cdk.deploy(NAME, options));
    const { objects, ...told } = before;
    expect(after).toMatchObject(told);
    for (const [bucket, keys] of Object.entries(objects))
      expect([bucket, keys.filter((key) => !after.objects[bucket]?.includes(key))]).toEqual([bucket, []]);
    const now = await account.emulator.inventory();
    const gone = leftovers(now, inventory);
    console.log('gone:', gone, 'come:', leftovers(inventory, now));
    expect(Object.keys(gone).filter((kind) => LASTING.test(kind))).toEqual([]);
  });

  test('the old key draws on, and the old prediction is still to be had', async () => {
    await draw();
    expect((await stack.get(`/predictions/${id}`)).status).toBe(200);
    expect(await account.emulator.refusals()).toEqual([]);
    account.isGood = true;
  });
});
