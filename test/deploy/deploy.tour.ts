import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { contract } from '../api/contract/contract.js';
import { Account, OPTIONS, SECOND_OPTIONS } from './account.js';
import { AccountApi } from './account-api.js';
import { DeployedStack } from './deployed-stack.js';
import { CALLERS, doctor, smoke } from './steps/callers.js';
import { KEY, settingOf } from './steps/contract.js';
import { leftovers } from './steps/leftovers.js';
import { exhaust, TIGHT } from './steps/usage-plan.js';
import { receiveOneWebhook } from './steps/webhook.js';
import { whileAsked } from './traffic.js';

// From an empty account to a service, through all that may happen to it, and back.

const NAME = 'sd-turbo';
const OTHER = 'other-turbo';
/** Of the first deploy: pictures can begin with one, as the contract has it. */
const FIRST = { ...OPTIONS, imageToImage: 'true' };

let account: Account;
let api: AccountApi;
let stack: DeployedStack;
let other: DeployedStack;
let bootstrapped: Record<string, string[]>;

beforeAll(async () => {
  account = await Account.open();
  api = new AccountApi(account.emulator);
});
afterAll(() => account?.close());

test('an empty account: the doctor says what it lacks, and what to do', async () => {
  const said = await doctor(account, NAME, 'ml.g4dn.xlarge,ml.g5.xlarge');
  expect(said).toMatch(/FAILED {2}bootstrap: .*\n *do: npx cdk bootstrap aws:\/\/000000000000\/us-east-1/);
  expect(said).toMatch(/FAILED {2}quota of ml.g5.xlarge: 0 instances.*\n *do: .*--quota-code L-1928E07B/);
  for (const fine of ['credentials', 'region', 'quota of ml.g4dn.xlarge', 'names', 'hf:tiny/turbo'])
    expect(said).toContain(`ok      ${fine}: `);
  expect(said).toMatch(/a deploy would fail: 2 of \d checks did/);
});

test('an account is bootstrapped', async () => {
  bootstrapped = await account.bootstrap();
  expect(await doctor(account, NAME)).not.toContain('FAILED');
});

describe('the first deploy', () => {
  test('brings the weights, and starts a copy that draws', async () => {
    const { Url: url = '', ApiKeyId: id = '' } = await account.cdk.deploy(NAME, FIRST, [
      ...['--parameters', `ApiKeyValue=${KEY}`],
    ]);
    stack = new DeployedStack({ emulator: account.emulator, name: NAME, url, key: KEY });
    expect(await api.apiKey(id)).toBe(KEY);
    expect((await stack.settled()).copies).toBe(1);
    expect((await stack.predict({ prompt: 'a tree' })).status).toBe(200);
  });

  contract('the deployed stack, through the gateway', async () => {
    const stranger = await api.addKey('stranger', NAME);
    return settingOf(account, api, stack, stranger);
  });

  test('the functions measure under the names that the dashboard and the alarms read', () => {
    expect(account.emulator.log('functions')).toMatch(/"Namespace":"SdTurbo".*"service":"sd-turbo"/);
  });

  test('a webhook comes, again after a failure, with a signature', () => receiveOneWebhook(api, stack));

  test('the script for after a deploy finds all well', async () => {
    expect(await smoke(account, stack)).toContain('all is well');
  });
});

describe('sleep', () => {
  test('the wake alarm brings a copy', async () => {
    await stack.sleep();
    await stack.wakeByAlarm();
    expect((await stack.predict({ prompt: 'a tree' })).status).toBe(200);
  });

  test(`${CALLERS.map(([name]) => name).join(', ')}: each gets its picture through a cold start`, async () => {
    await stack.sleep();
    await Promise.all(CALLERS.map(([, call]) => call(account, stack)));
    expect((await stack.settled()).copies).toBe(1);
  });
});

describe('another stack beside it', () => {
  test('is deployed with a key of its own, which is of no use to the first', async () => {
    const outputs = await account.cdk.deploy(OTHER, { ...SECOND_OPTIONS, ...TIGHT });
    const key = await api.apiKey(outputs['ApiKeyId'] ?? '');
    other = new DeployedStack({ emulator: account.emulator, name: OTHER, url: outputs['Url'] ?? '', key });
    const decoder = SECOND_OPTIONS['decoder'] ?? 'vae';
    expect(await (await other.predict({ prompt: 'a tree' })).json()).toMatchObject({ decoder });
    expect((await stack.predict({ prompt: 'a tree' }, { 'x-api-key': key })).status).toBe(401);
    expect(await (await other.get(`/predictions/${'a'.repeat(32)}`)).text()).toContain('kept for 2 days');
  });

  test('lets through what its usage plan says, and refuses the rest in our words', () => exhaust(other));
});

describe('updates, with requests in flight', () => {
  test('another image, other options, other weights: the old ones are deleted', async () => {
    const [before] = await bundles();
    appendFileSync(join(account.root, 'functions/endpoint/server.ts'), '// Another version.\n');
    const options = { ...OPTIONS, revision: 'v1', precision: 'float32', idleMinutes: '7' };
    await account.cdk.synth(NAME, options);
    await expectNothingLost(() => account.cdk.deploy(NAME));
    expect(await bundles()).toEqual([expect.stringMatching(/standard-float32/)]);
    expect(before).toMatch(/standard-float16/);
  });

  test('a dialect that the machine cannot run: it goes back, says why, and serves on', async () => {
    await account.cdk.synth(NAME, { ...OPTIONS, dialect: 'cuda' });
    await expectNothingLost(async () => {
      const { code, output } = await account.cdk.tryDeploy(NAME);
      expect(code, output).not.toBe(0);
      expect(output).toMatch(/UPDATE_ROLLBACK_/);
      expect(output).toMatch(/did not pass the ping health check.*--dialect cuda runs on NVIDIA GPUs only/s);
    });
    expect(await bundles()).toEqual([expect.stringMatching(/standard-float32/)]);
  });
});

describe('destroy', () => {
  test('deletes everything but what infra/README.md says', async () => {
    await api.removeKey('stranger');
    await Promise.all([account.cdk.destroy(NAME), account.cdk.destroy(OTHER)]);
    expect(leftovers(bootstrapped, await account.emulator.inventory())).toEqual({
      // The image, for each version of each stack; and the role with which API Gateway logs, which the account had not.
      'ecr.images': expect.any(Array),
      'iam.roles': ['sd-turbo-gateway-logs'],
    });
  });

  test('no role was refused anything', async () => {
    expect(await account.emulator.refusals()).toEqual([]);
    account.isGood = true;
  });
});

async function expectNothingLost(work: () => Promise<unknown>): Promise<void> {
  const { drawn, later, lost } = await whileAsked(stack, work);
  console.log(`${drawn} drawn at once, ${later} later`);
  expect(lost).toEqual([]);
  expect(Math.min(drawn, later)).toBeGreaterThan(0);
}

/** Prefixes of the bundles that the first stack has. */
async function bundles(): Promise<string[]> {
  const { 's3.buckets_meta': buckets = [] } = await account.emulator.inventory();
  const bucket = buckets.find((name) => name.startsWith(`${NAME}-modelweights`));
  const keys = await api.keys(bucket ?? '');
  return [...new Set(keys.map((key) => key.split('/').slice(0, 3).join('/')))];
}
