import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Health, healthSchema } from '../../lib/schemas/health.js';
import { contract } from '../api/contract/contract.js';
import { DRAWN } from '../api/contract/setting.js';
import { until } from '../support/until.js';
import { Account, OPTIONS } from './account.js';
import { AccountApi } from './account-api.js';
import { InstanceStack } from './instance-stack.js';
import { CALLERS } from './steps/callers.js';
import { KEY, settingOf } from './steps/contract.js';
import { leftovers } from './steps/leftovers.js';
import { receiveOneWebhook } from './steps/webhook.js';
import { whileAsked } from './traffic.js';

// The other backend, as in deploy.tour.ts: an instance that boots, signals, sleeps, and is woken. It is a folder of files
// that its user data has written, and the processes of its scripts (emulator/machines.py).

const NAME = 'sd-turbo-ec2';
const FIRST = { ...OPTIONS, backend: 'ec2', idleSeconds: '20', imageToImage: 'true' };

let account: Account;
let api: AccountApi;
let stack: InstanceStack;
let bootstrapped: Record<string, string[]>;

beforeAll(async () => {
  account = await Account.open();
  api = new AccountApi(account.emulator);
  bootstrapped = await account.bootstrap();
});
afterAll(() => account?.close());

describe('the first deploy', () => {
  test('has an instance draw a picture, and leaves it asleep', async () => {
    const outputs = await account.cdk.deploy(NAME, FIRST, ['--parameters', `ApiKeyValue=${KEY}`]);
    stack = new InstanceStack({
      emulator: account.emulator,
      name: NAME,
      url: outputs['Url'] ?? '',
      key: KEY,
    });
    await stack.dozesOff();
    expect(await stack.instance()).toMatchObject({ starts: 1, type: 'g4dn.xlarge' });
    expect(outputs['MachineImage']).toBe((await stack.instance()).image);
    expect(await health()).toMatchObject({ state: 'asleep' });
  });

  test('a request wakes it, gets its picture, and it sleeps again', async () => {
    const accepted = await stack.predict({ prompt: 'a tree', seed: 1 }, { prefer: 'respond-async' });
    expect(accepted.status).toBe(202);
    const { id } = (await accepted.json()) as { id: string };
    expect(await phasesOfWake()).toContain('instance');
    expect(await stack.ended(id)).toMatchObject({ status: 'succeeded' });
    const again = await stack.predict({ prompt: 'a tree', seed: 1 }, { prefer: 'wait=20' });
    expect(again.status).toBe(200);
    await stack.dozesOff();
    expect((await stack.instance()).starts).toBe(2);
  });

  test('the function that hears of it finds nothing left', () => {
    expect(account.emulator.log('functions')).toMatch(/"message":"an instance has stopped".*"messages":0/);
  });

  contract('the deployed stack, through the gateway', async () => {
    const stranger = await api.addKey('stranger', NAME);
    await endOf('awake, as the contract finds it');
    const drawn = () => account.emulator.workerLogs().match(DRAWN)?.length ?? 0;
    const output = () => account.emulator.log('functions') + account.emulator.workerLogs();
    return {
      ...(await settingOf(account, api, stack, stranger)),
      drawn,
      output,
      waitsForWakes: stack.waitsForWakes,
    };
  });

  test('the worker measures under the names that the dashboard reads', () => {
    expect(account.emulator.workerLogs()).toMatch(/"Namespace":"SdTurbo".*"service":"sd-turbo-ec2"/);
  });

  test('a webhook comes, again after a failure, with a signature', async () => {
    await stack.sleep();
    await receiveOneWebhook(api, stack);
  });

  test(`${CALLERS.map(([name]) => name).join(', ')}: each gets its picture through a cold start`, async () => {
    await stack.sleep();
    await Promise.all(CALLERS.map(([, call]) => call(account, stack)));
  });

  test('a request that comes while it powers off: whoever hears that it has stopped starts it again', async () => {
    await stack.is('stopping');
    expect(await endOf('a house')).toMatchObject({ status: 'succeeded' });
    expect(account.emulator.log('functions')).toMatch(
      /"message":"an instance has stopped".*"messages":[1-9]/,
    );
  });
});

describe('updates, with requests in flight', () => {
  test('a quota for one, while the old instance is awake: it goes back in words, and nothing is lost', async () => {
    await account.cdk.synth(NAME, { ...FIRST, idleSeconds: '10' });
    await endOf('awake, as the update finds it');
    const { id } = await stack.instance();
    await account.emulator.grantQuota(4);
    await expectNothingLost(async () => {
      const { code, output } = await account.cdk.tryDeploy(NAME);
      expect(code, output).not.toBe(0);
      expect(output).toMatch(/needs the quota for two.*VcpuLimitExceeded.*deploy while it sleeps/);
      expect(output).toMatch(/_FAILED.*AWS::EC2::Instance.*vCPU limit of 4/);
      expect(output).toMatch(/UPDATE_ROLLBACK_COMP/);
    });
    expect((await stack.instance()).id).toBe(id);
    await account.emulator.grantQuota(8);
  });

  test('another option is a new instance: the old one goes when the new one has drawn', async () => {
    const { id } = await stack.instance();
    await expectNothingLost(() => account.cdk.deploy(NAME));
    expect((await stack.instance()).id).not.toBe(id);
  });

  test('so is another machine image that AWS recommends; while the old one sleeps a quota for one will do', async () => {
    const { id } = await stack.instance();
    await stack.sleep();
    await account.emulator.grantQuota(4);
    await account.emulator.recommendImage('ami-0fedcba9876543210');
    await account.cdk.deploy(NAME, { ...FIRST, idleSeconds: '10' });
    const { id: now, image } = await stack.instance();
    expect([image, now === id]).toEqual(['ami-0fedcba9876543210', false]);
    await account.emulator.grantQuota(8);
  });

  test('a first boot that fails: it goes back, says the step and why, and serves on', async () => {
    const { id } = await stack.instance();
    const { code, output } = await account.cdk.tryDeploy(NAME, { ...FIRST, dialect: 'cuda' });
    expect(code, output).not.toBe(0);
    expect(output).toMatch(/UPDATE_ROLLBACK_/);
    expect(output).toMatch(
      /FAILURE signal with UniqueId self_test: --dialect cuda runs on NVIDIA GPUs only, not/,
    );
    expect((await stack.instance()).id).toBe(id);
    expect(await endOf('a tree')).toMatchObject({ status: 'succeeded' });
  });

  test('an instance that was terminated by hand: a prediction says what to do, and that works', async () => {
    const { id } = await stack.instance();
    await api.terminate(id);
    const words = expect.stringMatching(`${id} is gone.*-c generation=2`);
    expect(await endOf('a tree')).toMatchObject({ status: 'failed', error: { detail: words } });
    await account.cdk.deploy(NAME, { ...FIRST, idleSeconds: '10', generation: '2' });
    expect((await stack.instance()).id).not.toBe(id);
    expect(await endOf('a tree')).toMatchObject({ status: 'succeeded' });
  });
});

describe('destroy', () => {
  test('deletes everything but what infra/README.md says', async () => {
    await api.removeKey('stranger');
    await account.cdk.destroy(NAME);
    expect(leftovers(bootstrapped, await account.emulator.inventory())).toEqual({
      'ecr.images': expect.any(Array),
      // Every account has this one; the emulator makes it when it is first asked for.
      'eventbridge.buses': [expect.stringMatching(/default$/)],
      'iam.roles': ['sd-turbo-gateway-logs'],
    });
  });

  test('no role was refused anything', async () => {
    expect(await account.emulator.refusals()).toEqual([]);
    account.isGood = true;
  });
});

/** Many times what a wake takes. Milliseconds. */
const WAKE_MS = 300_000;
/** Of a first wake, and of those that were seen. Seconds. */
const EC2_ESTIMATE = 61;
const ASYNC = { prefer: 'respond-async' };

async function endOf(prompt: string) {
  const response = await stack.predict({ prompt }, ASYNC);
  expect(response.status).toBe(202);
  const { id } = (await response.json()) as { id: string };
  return stack.ended(id);
}

async function health(): Promise<Health> {
  const response = await stack.get('/health');
  return healthSchema.parse(await response.json());
}

/** What `/health` says of a wake, first to last, less the percents; it has an estimate all the time. */
async function phasesOfWake(): Promise<string[]> {
  const phases = new Set<string>();
  const isReady = async () => {
    const { state, detail = '', estimate } = await health();
    if (state !== 'waking') return state === 'ready';
    expect(estimate).toBeLessThan(EC2_ESTIMATE);
    phases.add(detail.replace(/ \d+ %/, ''));
    return false;
  };
  await until('the instance is ready', isReady, WAKE_MS);
  return [...phases];
}

async function expectNothingLost(work: () => Promise<unknown>): Promise<void> {
  const { drawn, later, lost } = await whileAsked(stack, work);
  console.log(`${drawn} drawn at once, ${later} later`);
  expect(lost).toEqual([]);
  expect(drawn + later).toBeGreaterThan(0);
}
