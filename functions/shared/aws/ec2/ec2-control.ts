import {
  DescribeInstancesCommand,
  EC2Client,
  type Instance,
  ModifyInstanceAttributeCommand,
  StartInstancesCommand,
} from '@aws-sdk/client-ec2';
import { type EndpointError, PASSING_FAULTS } from '../../../../lib/predictions/endpoint.js';
import type { Clock } from '../../../../lib/predictions/services.js';
import { ec2Error, startFault } from './ec2-error.js';

/** The client itself waits without end. Milliseconds. */
const CALL_MS = 8_000;
/** Throttling and failures of EC2 itself are tried again so often, after so many milliseconds at most. */
const TRIES = 3;
const LONGEST_PAUSE_MS = 600;

/** An instance as EC2 describes it. */
export interface InstanceState {
  readonly id: string;
  /** `gone`: terminated, or unknown to EC2. */
  readonly state: 'pending' | 'running' | 'stopping' | 'stopped' | 'gone';
  readonly type: string;
  /** When it was last started. Milliseconds since 1970. */
  readonly launchedAt: number;
}

/** For `Ec2Control`, which tries again itself: the SDK would do so where a zone has no capacity, too. */
export function makeEc2Client(): EC2Client {
  return new EC2Client({ maxAttempts: 1 });
}

/** The three calls that a wake is made of. */
export class Ec2Control {
  readonly #client: EC2Client;
  readonly #clock: Pick<Clock, 'sleep' | 'random'>;

  constructor(client: EC2Client, clock: Pick<Clock, 'sleep' | 'random'>) {
    this.#client = client;
    this.#clock = clock;
  }

  /**
   * @returns one for each id, in that order
   * @throws EndpointError
   */
  async describe(ids: readonly string[]): Promise<InstanceState[]> {
    // By a filter: of an id that EC2 no longer knows the whole call would fail else.
    const command = new DescribeInstancesCommand({ Filters: [{ Name: 'instance-id', Values: [...ids] }] });
    const { Reservations = [] } = await this.#try((abortSignal) =>
      this.#client.send(command, { abortSignal }),
    );
    const found = Reservations.flatMap(({ Instances = [] }) => Instances);
    return ids.map((id) =>
      toState(
        id,
        found.find(({ InstanceId }) => InstanceId === id),
      ),
    );
  }

  /** Does nothing to one that is up. Throws what EC2 says where `startFault` knows it, else EndpointError. */
  async start(id: string): Promise<void> {
    const command = new StartInstancesCommand({ InstanceIds: [id] });
    await this.#try((abortSignal) => this.#client.send(command, { abortSignal }));
  }

  /** Of a stopped instance. Throws as `start` does. */
  async setType(id: string, type: string): Promise<void> {
    const command = new ModifyInstanceAttributeCommand({ InstanceId: id, InstanceType: { Value: type } });
    await this.#try((abortSignal) => this.#client.send(command, { abortSignal }));
  }

  async #try<T>(send: (signal: AbortSignal) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await send(AbortSignal.timeout(CALL_MS));
      } catch (error) {
        if (startFault(error)) throw error;
        const known = ec2Error(error);
        if (tries >= TRIES || !passes(known)) throw known;
      }
      await this.#clock.sleep(this.#clock.random() * LONGEST_PAUSE_MS);
    }
  }
}

function passes({ fault }: EndpointError): boolean {
  return PASSING_FAULTS.has(fault);
}

function toState(id: string, instance: Instance | undefined): InstanceState {
  const { State, InstanceType: type = '', LaunchTime } = instance ?? {};
  const launchedAt = LaunchTime?.getTime() ?? 0;
  switch (State?.Name) {
    case 'pending':
    case 'running':
    case 'stopping':
    case 'stopped':
      return { id, state: State.Name, type, launchedAt };
    default:
      return { id, state: 'gone', type, launchedAt };
  }
}
