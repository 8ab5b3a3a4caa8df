import {
  DescribeInstancesCommand,
  EC2Client,
  RunInstancesCommand,
  StartInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Ec2Endpoint } from '../../../../functions/shared/aws/ec2/ec2-endpoint.js';
import { WakeRefused } from '../../../../lib/predictions/wake/wake-refused.js';
import type { WorkerPhase, WorkerState } from '../../../../lib/schemas/worker-state.js';
import { Ec2Front, type Ec2Refusal } from '../../../support/servers/ec2-front.js';
import {
  type MotoServer,
  motoClientConfig,
  motoIsAbsent,
  startMotoServer,
} from '../../../support/servers/moto-server.js';

const TYPES = ['g4dn.xlarge', 'g4dn.2xlarge', 'g5.xlarge', 'g6.xlarge'];
const NO_CAPACITY: Ec2Refusal = {
  code: 'InsufficientInstanceCapacity',
  status: 500,
  message: 'We currently do not have sufficient g4dn.xlarge capacity in the Availability Zone you requested.',
};
const quotaOf = (vcpus: number): Ec2Refusal => ({
  code: 'VcpuLimitExceeded',
  message:
    `You have requested more vCPU capacity than your current vCPU limit of ${vcpus} allows for the instance bucket ` +
    'that the specified instance type belongs to. Please visit http://aws.amazon.com/contact-us/ec2-request to ' +
    'request an adjustment to this limit.',
});

describe.skipIf(motoIsAbsent())('instances that are kept stopped', () => {
  let moto: MotoServer;
  let front: Ec2Front;
  let client: EC2Client;
  let direct: EC2Client;
  let ids: string[];
  let said: WorkerState | undefined;

  beforeAll(async () => {
    moto = await startMotoServer();
    direct = new EC2Client(motoClientConfig(moto.url));
  });
  afterAll(() => moto?.stop());

  beforeEach(async () => {
    front = await Ec2Front.start(moto.url);
    client = new EC2Client({ ...motoClientConfig(front.url), maxAttempts: 1 });
    said = undefined;
    ids = [await runInstance(), await runInstance()];
    await direct.send(new StopInstancesCommand({ InstanceIds: ids }));
    return () => front.stop();
  });

  async function runInstance(): Promise<string> {
    const type = { ImageId: 'ami-12c6146b', InstanceType: 'g4dn.xlarge', MinCount: 1, MaxCount: 1 } as const;
    const { Instances } = await direct.send(new RunInstancesCommand(type));
    return Instances?.[0]?.InstanceId ?? '';
  }

  /** One instance, or one in each of two zones. */
  function endpoint(zones = 1): Ec2Endpoint {
    const worker = { read: async () => said };
    return new Ec2Endpoint({ client, instanceIds: ids.slice(0, zones), instanceTypes: TYPES, worker });
  }

  /** Of both, by moto itself. */
  async function now(): Promise<string[]> {
    const { Reservations = [] } = await direct.send(new DescribeInstancesCommand({ InstanceIds: ids }));
    const all = Reservations.flatMap(({ Instances = [] }) => Instances);
    return ids.map((id) => {
      const instance = all.find(({ InstanceId }) => InstanceId === id);
      return `${instance?.State?.Name} ${instance?.InstanceType}`;
    });
  }

  const refuseStarts = (...refusals: readonly (readonly [type: string, refusal: Ec2Refusal])[]) => {
    front.refuse = ({ action, type }) =>
      action === 'StartInstances' ? refusals.find(([name]) => name === type)?.[1] : undefined;
  };

  function say(phase: WorkerPhase, more: Partial<WorkerState> = {}): void {
    const at = new Date().toISOString();
    const bytes = { bytes_done: 0, bytes_total: 0 };
    said = {
      worker: ids[0] as string,
      phase,
      updated_at: at,
      started_at: at,
      ...bytes,
      seconds: {},
      model: null,
      ...more,
    };
  }

  describe('wake', () => {
    test('starts the one in the first zone', async () => {
      await endpoint(2).wake();
      expect(await now()).toEqual(['running g4dn.xlarge', 'stopped g4dn.xlarge']);
      expect(front.tried).toEqual(['StartInstances g4dn.xlarge']);
    });

    test.each(['pending', 'running'] as const)('has nothing to do where one is %s', async (state) => {
      front.shown.set(ids[1] as string, state);
      await endpoint(2).wake();
      expect(front.tried).toEqual([]);
    });

    test('two callers at once start one', async () => {
      await Promise.all([endpoint().wake(), endpoint().wake()]);
      expect(await now()).toEqual(['running g4dn.xlarge', 'stopped g4dn.xlarge']);
    });

    test('one that is still stopping is waited for, and started after that', async () => {
      front.shown.set(ids[0] as string, 'stopping');
      await expect(endpoint().wake()).rejects.toMatchObject({ fault: 'cold', retryable: true });
      expect(front.tried).toEqual([]);
      front.shown.clear();
      await endpoint().wake();
      expect(await now()).toContain('running g4dn.xlarge');
    });

    test('... unless another zone has one', async () => {
      front.shown.set(ids[0] as string, 'stopping');
      await endpoint(2).wake();
      expect(await now()).toEqual(['stopped g4dn.xlarge', 'running g4dn.xlarge']);
    });

    test('... and a quota for one is not the end while the other still stops', async () => {
      front.shown.set(ids[0] as string, 'stopping');
      refuseStarts(['g4dn.xlarge', quotaOf(4)]);
      await expect(endpoint(2).wake()).rejects.toMatchObject({
        fault: 'cold',
        message: expect.stringMatching(/4 vCPUs.*still stopping/),
      });
    });

    test('one whose worker is about to power it off counts as stopping', async () => {
      front.shown.set(ids[0] as string, 'running');
      say('stopping');
      await expect(endpoint().wake()).rejects.toMatchObject({ fault: 'cold' });
      // Not so where that was said in an earlier life of the instance, by another one, or long ago.
      front.launchTime = new Date(Date.now() + 1_000);
      await endpoint().wake();
      front.launchTime = undefined;
      say('stopping', { updated_at: new Date(Date.now() - 61_000).toISOString() });
      await endpoint().wake();
      say('stopping', { worker: ids[1] as string });
      await endpoint().wake();
    });

    test('no capacity in the first zone: the second', async () => {
      front.refuse = ({ action, instance }) =>
        action === 'StartInstances' && instance === ids[0] ? NO_CAPACITY : undefined;
      await endpoint(2).wake();
      expect(await now()).toEqual(['stopped g4dn.xlarge', 'running g4dn.xlarge']);
      expect(front.tried).toEqual(['StartInstances g4dn.xlarge', 'StartInstances g4dn.xlarge']);
    });

    test('no capacity in any zone: the next types; and at a later wake the first again', async () => {
      refuseStarts(['g4dn.xlarge', NO_CAPACITY], ['g4dn.2xlarge', NO_CAPACITY]);
      await endpoint().wake();
      expect(await now()).toContain('running g5.xlarge');
      expect(front.tried).toEqual([
        'StartInstances g4dn.xlarge',
        'ModifyInstanceAttribute g4dn.2xlarge',
        'StartInstances g4dn.2xlarge',
        'ModifyInstanceAttribute g5.xlarge',
        'StartInstances g5.xlarge',
      ]);
      await direct.send(new StopInstancesCommand({ InstanceIds: ids }));
      front.refuse = () => undefined;
      await endpoint().wake();
      expect(await now()).toContain('running g4dn.xlarge');
    });

    test('no capacity of any type: it passes, and the next wake goes through all of them again', async () => {
      refuseStarts(...TYPES.map((type) => [type, NO_CAPACITY] as const));
      const failed = await endpoint(2)
        .wake()
        .catch((error: unknown) => error);
      expect(failed).toMatchObject({
        fault: 'cold',
        retryable: true,
        message: expect.stringContaining('none free'),
      });
      expect(front.tried.filter((call) => call.startsWith('Start'))).toHaveLength(8);
      refuseStarts(
        ...TYPES.filter((type) => type !== 'g5.xlarge').map((type) => [type, NO_CAPACITY] as const),
      );
      await endpoint(2).wake();
      expect(await now()).toContain('running g5.xlarge');
    });

    test.each([
      [
        'Unsupported',
        'Your requested instance type (g5.xlarge) is not supported in your requested Availability Zone',
      ],
      ['UnsupportedOperation', 'The operation is not supported'],
      ['InvalidParameterCombination', 'The parameter instanceType cannot be used here'],
      ['InvalidInstanceAttributeValue', "The instance type 'g5.xlarge' is not valid"],
    ])('a type that a zone does not offer is passed over: %s', async (code, message) => {
      front.refuse = ({ type }) => {
        if (type === 'g5.xlarge') return { code, message };
        return type?.startsWith('g4dn') ? NO_CAPACITY : undefined;
      };
      front.refuse = wrapStarts(front.refuse);
      await endpoint().wake();
      expect(await now()).toContain('running g6.xlarge');
    });

    /** Capacity is missed at a start; what a type is refused for may be said at either call. */
    function wrapStarts(refuse: Ec2Front['refuse']): Ec2Front['refuse'] {
      return (call) => {
        const refusal = refuse(call);
        return refusal === NO_CAPACITY && call.action !== 'StartInstances' ? undefined : refusal;
      };
    }

    test('a quota of 0 is told in words, with what to do, and ends the wait', async () => {
      refuseStarts(...TYPES.map((type) => [type, quotaOf(0)] as const));
      const error = await endpoint(2)
        .wake()
        .catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(WakeRefused);
      expect(error).toMatchObject({ code: 'UNAVAILABLE', retryable: false });
      for (const words of ['0 vCPUs', 'Running On-Demand G and VT instances', 'L-DB2E81BA', 'Service Quotas'])
        expect((error as Error).message).toContain(words);
      expect(front.tried).toEqual(['StartInstances g4dn.xlarge']);
    });

    test('a quota that others use passes; one that only a larger type is beyond leads to the next type', async () => {
      refuseStarts(['g4dn.xlarge', quotaOf(4)]);
      await expect(endpoint().wake()).rejects.toMatchObject({
        fault: 'cold',
        message: expect.stringMatching(/other instances.*L-DB2E81BA|L-DB2E81BA.*other instances/),
      });
      refuseStarts(['g4dn.xlarge', NO_CAPACITY], ['g4dn.2xlarge', quotaOf(4)]);
      await endpoint().wake();
      expect(await now()).toContain('running g5.xlarge');
    });

    test.each([1, 2])('terminated by hand (%i zones): refused for good, by name', async (zones) => {
      await direct.send(new TerminateInstancesCommand({ InstanceIds: ids }));
      const error = await endpoint(zones)
        .wake()
        .catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(WakeRefused);
      for (const words of [...ids.slice(0, zones), 'npx cdk deploy -c generation=2'])
        expect((error as Error).message).toContain(words);
      expect(front.tried).toEqual([]);
    });

    test('one that EC2 has forgotten, and one that is gone between the look and the start', async () => {
      const [known] = ids;
      ids = ['i-0123456789abcdef0'];
      await expect(endpoint().wake()).rejects.toBeInstanceOf(WakeRefused);
      ids = [known as string];
      front.refuse = ({ action, instance }) => {
        if (action !== 'StartInstances') return undefined;
        void direct.send(new TerminateInstancesCommand({ InstanceIds: ids }));
        return {
          code: 'InvalidInstanceID.NotFound',
          message: `The instance ID '${instance}' does not exist`,
        };
      };
      await expect(endpoint().wake()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      await expect(endpoint().wake()).rejects.toBeInstanceOf(WakeRefused);
    });

    test('one of two was terminated: the other is started', async () => {
      await direct.send(new TerminateInstancesCommand({ InstanceIds: ids.slice(0, 1) }));
      await endpoint(2).wake();
      expect(await now()).toEqual(['terminated g4dn.xlarge', 'running g4dn.xlarge']);
    });

    test('somebody else starts it between our look and our change of its type', async () => {
      front.refuse = ({ action, type, instance }) => {
        if (action === 'StartInstances' && type === 'g4dn.xlarge') return NO_CAPACITY;
        if (action === 'ModifyInstanceAttribute') front.shown.set(instance as string, 'pending');
        return undefined;
      };
      await endpoint().wake();
      expect(front.tried).toEqual(['StartInstances g4dn.xlarge', 'ModifyInstanceAttribute g4dn.2xlarge']);
    });

    test('somebody else stops it between our look and our start', async () => {
      front.refuse = ({ action, instance }) => {
        if (action === 'StartInstances') front.shown.set(instance as string, 'stopping');
        return undefined;
      };
      await expect(endpoint().wake()).rejects.toMatchObject({ fault: 'cold' });
    });

    test.each<[string, Ec2Refusal]>([
      ['throttling', { code: 'RequestLimitExceeded', status: 503, message: 'Request limit exceeded.' }],
      ['its own failure', { code: 'InternalError', status: 500, message: 'An internal error has occurred' }],
      ['that it is away', { code: 'Unavailable', status: 503 }],
      ['a page of its load balancer', 'page'],
      ['a reset connection', 'reset'],
      ['a reset connection, though it was carried out', 'reset-after'],
    ])('%s: tried again', async (_, refusal) => {
      for (const failing of ['DescribeInstances', 'StartInstances']) {
        let left = 2;
        front.refuse = ({ action }) => (action === failing && left-- > 0 ? refusal : undefined);
        await endpoint().wake();
        expect(await now()).toContain('running g4dn.xlarge');
        await direct.send(new StopInstancesCommand({ InstanceIds: ids }));
      }
    });

    test.each<[Ec2Refusal, string]>([
      [{ code: 'RequestLimitExceeded', status: 503 }, 'throttled'],
      [{ code: 'InternalError', status: 500 }, 'busy'],
      ['reset', 'busy'],
      [{ code: 'UnauthorizedOperation', status: 403 }, 'unknown'],
    ])('what does not pass soon is told: %j', async (refusal, fault) => {
      front.refuse = () => refusal;
      const error = await endpoint()
        .wake()
        .catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ fault });
      expect(front.calls).toHaveLength(fault === 'unknown' ? 1 : 3);
    });
  });

  describe('state', () => {
    const young = () => new Date().toISOString();
    const old = () => new Date(Date.now() - 61_000).toISOString();

    test('asleep while it is stopped or stopping, whatever the worker said last', async () => {
      for (const phase of ['ready', 'stopping', 'downloading'] as const) {
        say(phase);
        expect(await endpoint().state()).toEqual({ state: 'asleep' });
      }
      front.shown.set(ids[0] as string, 'stopping');
      expect(await endpoint().state()).toEqual({ state: 'asleep' });
    });

    test('the phases of a wake', async () => {
      front.shown.set(ids[0] as string, 'pending');
      expect(await endpoint().state()).toEqual({ state: 'waking', detail: 'instance' });
      await direct.send(new StartInstancesCommand({ InstanceIds: ids.slice(0, 1) }));
      front.shown.clear();
      front.launchTime = new Date(Date.now() - 20_000);
      const phases: [WorkerPhase, Partial<WorkerState>, object][] = [
        ['starting', {}, { state: 'waking', detail: 'container' }],
        ['downloading', {}, { state: 'waking', detail: 'weights 0 %' }],
        ['downloading', { bytes_done: 45, bytes_total: 99 }, { state: 'waking', detail: 'weights 45 %' }],
        ['loading', { model: 'sd-turbo' }, { state: 'waking', detail: 'sessions', model: 'sd-turbo' }],
        ['warming', {}, { state: 'waking', detail: 'warm-up' }],
        [
          'ready',
          { model: 'm', draws: { animal: ['cat'] } },
          { state: 'ready', model: 'm', draws: { animal: ['cat'] } },
        ],
        ['stopping', {}, { state: 'asleep' }],
        ['failed', { error: 'no such bundle' }, { state: 'failed', detail: 'no such bundle' }],
      ];
      expect(await endpoint().state()).toEqual({ state: 'waking', detail: 'instance' });
      for (const [phase, more, state] of phases) {
        say(phase, more);
        expect(await endpoint().state()).toEqual(state);
      }
    });

    test('a word from before the start, or an old one, is none; after five minutes that is a failure', async () => {
      await direct.send(new StartInstancesCommand({ InstanceIds: ids.slice(0, 1) }));
      front.launchTime = new Date(Date.now() - 10_000);
      say('stopping', { updated_at: new Date(Date.now() - 15_000).toISOString() });
      expect(await endpoint().state()).toEqual({ state: 'waking', detail: 'instance' });
      front.launchTime = new Date(Date.now() - 301_000);
      say('ready', { updated_at: old() });
      const failed = { state: 'failed', detail: expect.stringContaining(ids[0] as string) };
      expect(await endpoint().state()).toEqual(failed);
    });

    test('a worker somewhere else draws as well', async () => {
      say('ready', { worker: 'under-the-desk', updated_at: young() });
      expect(await endpoint().state()).toEqual({ state: 'ready' });
      say('downloading', { worker: 'under-the-desk', updated_at: young() });
      expect(await endpoint().state()).toEqual({ state: 'asleep' });
      say('ready', { worker: 'under-the-desk', updated_at: old() });
      expect(await endpoint().state()).toEqual({ state: 'asleep' });
    });

    test('terminated by hand', async () => {
      await direct.send(new TerminateInstancesCommand({ InstanceIds: ids }));
      expect(await endpoint(2).state()).toEqual({
        state: 'failed',
        detail: expect.stringContaining('npx cdk deploy -c generation=2'),
      });
    });
  });

  test('somebody listens: ready, and that not long ago; EC2 is not asked', async () => {
    expect(await endpoint().listens()).toBe(false);
    for (const phase of ['starting', 'downloading', 'loading', 'warming', 'stopping', 'failed'] as const) {
      say(phase);
      expect(await endpoint().listens()).toBe(false);
    }
    say('ready');
    expect(await endpoint().listens()).toBe(true);
    say('ready', { updated_at: new Date(Date.now() - 61_000).toISOString() });
    expect(await endpoint().listens()).toBe(false);
    expect(front.calls).toEqual([]);
  });
});
