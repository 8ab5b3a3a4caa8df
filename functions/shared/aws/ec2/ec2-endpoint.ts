import type { EC2Client } from '@aws-sdk/client-ec2';
import { EndpointError, type EndpointState } from '../../../../lib/predictions/endpoint.js';
import type { Clock } from '../../../../lib/predictions/services.js';
import { SYSTEM_CLOCK } from '../../../../lib/predictions/system-clock.js';
import { WakeRefused } from '../../../../lib/predictions/wake/wake-refused.js';
import { aboutModel } from '../../../../lib/schemas/model-about.js';
import type { WorkerState } from '../../../../lib/schemas/worker-state.js';
import { Ec2Control, type InstanceState } from './ec2-control.js';
import { startOne } from './start-one.js';
import { isFresh, type WorkerStateReader } from './worker-state-reader.js';

/** Looks at the instances in one wake: the second sees what somebody else has done meanwhile. */
const LOOKS = 2;
/** An instance that runs so long without a word of its worker will not say any more. Milliseconds. */
const SILENCE_MS = 5 * 60_000;

export interface Ec2EndpointProps {
  /** As `makeEc2Client` makes it. */
  readonly client: EC2Client;
  /** One of them draws, the others stand by in other zones. */
  readonly instanceIds: readonly string[];
  /** What a stopped one may be changed to where AWS has no capacity; the first is what it was deployed as. */
  readonly instanceTypes: readonly string[];
  readonly worker: WorkerStateReader;
  /** @default the machine's */
  readonly clock?: Pick<Clock, 'now' | 'sleep' | 'random'>;
}

/** Instances that are kept stopped. Their worker fetches its work itself, and powers its machine off when there is none. */
export class Ec2Endpoint {
  readonly #control: Ec2Control;
  readonly #props: Ec2EndpointProps;
  readonly #now: () => number;

  constructor(props: Ec2EndpointProps) {
    const clock = props.clock ?? SYSTEM_CLOCK;
    this.#control = new Ec2Control(props.client, clock);
    this.#props = props;
    this.#now = clock.now;
  }

  /** Whether a worker takes messages: one read of the store, and EC2 is not asked. */
  async listens(): Promise<boolean> {
    const worker = await this.#props.worker.read();
    return worker?.phase === 'ready' && isFresh(worker, this.#now());
  }

  /**
   * Starts an instance unless one is up or on its way.
   *
   * @throws EndpointError where a later call may do better; WakeRefused where none will
   */
  async wake(): Promise<void> {
    const { instanceIds, instanceTypes: types } = this.#props;
    for (let look = 0; look < LOOKS; look++) {
      const instances = await this.#control.describe(instanceIds);
      if (instances.some(isUp)) return this.#expectToStay(instances);
      const stopped = instances.filter(({ state }) => state === 'stopped');
      const othersLeave = instances.some(({ state }) => state === 'stopping');
      if (stopped.length === 0) throw othersLeave ? stillStopping() : allGone(instanceIds);
      const started = await startOne({ control: this.#control, stopped, types, othersLeave, now: this.#now });
      if (started) return;
    }
    throw new EndpointError('cold', 'the instance changes its state just now; it is tried again');
  }

  async state(): Promise<EndpointState> {
    const { instanceIds, worker } = this.#props;
    const [instances, said] = await Promise.all([this.#control.describe(instanceIds), worker.read()]);
    const up = instances.find(isUp);
    const valid = said && this.#isValid(said, instances) ? said : undefined;
    if (valid) return stateOf(valid);
    if (up) return this.#silent(up);
    if (instances.every(({ state }) => state === 'gone')) {
      return { state: 'failed', detail: allGone(instanceIds).message };
    }
    return { state: 'asleep' };
  }

  /** Who starts a machine that is about to power itself off has started nothing. */
  async #expectToStay(instances: readonly InstanceState[]): Promise<void> {
    const said = await this.#props.worker.read().catch(() => undefined);
    const others = instances.filter((instance) => isUp(instance) && instance.id !== said?.worker);
    if (said?.phase === 'stopping' && this.#isValid(said, instances) && others.length === 0)
      throw stillStopping();
  }

  /** Whether a worker's word still holds: it is young, and its instance has not slept since. */
  #isValid(said: WorkerState, instances: readonly InstanceState[]): boolean {
    if (!isFresh(said, this.#now())) return false;
    const instance = instances.find(({ id }) => id === said.worker);
    // Some other machine before the same queue: it draws, but what it does else says nothing of ours.
    if (!instance) return said.phase === 'ready';
    return isUp(instance) && Date.parse(said.updated_at) >= instance.launchedAt;
  }

  #silent({ id, state, launchedAt }: InstanceState): EndpointState {
    if (state === 'running' && this.#now() - launchedAt > SILENCE_MS) {
      const since = new Date(launchedAt).toISOString();
      const detail = `instance ${id} runs since ${since}, and its worker says nothing: its console log says why`;
      return { state: 'failed', detail };
    }
    return { state: 'waking', detail: 'instance' };
  }
}

function isUp({ state }: InstanceState): boolean {
  return state === 'pending' || state === 'running';
}

function stateOf(said: WorkerState): EndpointState {
  const { phase, bytes_done, bytes_total, error } = said;
  const about = aboutModel(said);
  switch (phase) {
    case 'ready':
      return { state: 'ready', ...about };
    case 'stopping':
      return { state: 'asleep' };
    case 'failed':
      return { state: 'failed', detail: error ?? 'the worker has failed; its log says why' };
    case 'starting':
      return { state: 'waking', detail: 'container' };
    case 'downloading':
      return { state: 'waking', detail: `weights ${percent(bytes_done, bytes_total)} %`, ...about };
    case 'loading':
      return { state: 'waking', detail: 'sessions', ...about };
    case 'warming':
      return { state: 'waking', detail: 'warm-up', ...about };
  }
}

function percent(done: number, total: number): number {
  return total === 0 ? 0 : Math.floor((100 * Math.min(done, total)) / total);
}

function stillStopping(): EndpointError {
  return new EndpointError('cold', 'the instance is still stopping, and can be started after that');
}

function allGone(ids: readonly string[]): WakeRefused {
  const [what, verb] = ids.length === 1 ? ['instance', 'is'] : ['instances', 'are'];
  const words = `the GPU ${what} ${ids.join(', ')} ${verb} gone, terminated by hand: \`npx cdk deploy\` makes a new one`;
  return new WakeRefused(words);
}
