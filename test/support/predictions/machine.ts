import { setTimeout as pause } from 'node:timers/promises';
import {
  DescribeInstancesCommand,
  EC2Client,
  RunInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { motoClientConfig } from '../servers/moto-server.js';
import { until } from '../until.js';
import type { PullingWorker } from './pulling-worker.js';

const LOOK_MS = 50;

export interface MachineProps {
  readonly moto: string;
  /** From the start of the instance to its worker. Milliseconds. */
  readonly bootMs: number;
  /** @param name the instance's id */
  readonly startWorker: (name: string) => PullingWorker;
}

/** An instance of moto's EC2 with a worker in it, from each start to the stop that follows. */
export class Machine {
  readonly id: string;
  /** How often it was started, beside the first time. */
  starts = 0;
  readonly #client: EC2Client;
  readonly #props: MachineProps;
  readonly #watching: Promise<void>;
  #worker: PullingWorker | undefined;
  #closed = false;
  #output = '';

  private constructor(id: string, client: EC2Client, props: MachineProps) {
    this.id = id;
    this.#client = client;
    this.#props = props;
    this.#worker = props.startWorker(id);
    this.#watching = this.#watch();
  }

  /** It is up. */
  static async run(props: MachineProps): Promise<Machine> {
    const client = new EC2Client(motoClientConfig(props.moto));
    const type = { ImageId: 'ami-12c6146b', InstanceType: 'g4dn.xlarge', MinCount: 1, MaxCount: 1 } as const;
    const { Instances } = await client.send(new RunInstancesCommand(type));
    return new Machine(Instances?.[0]?.InstanceId ?? '', client, props);
  }

  output(): string {
    return this.#output + (this.#worker?.output?.() ?? '');
  }

  /** Its worker ends, and powers it off. */
  async sleep(): Promise<void> {
    await until('the machine has a worker', () => this.#worker !== undefined);
    await this.#end();
  }

  /** By hand, in the console. */
  async terminate(): Promise<void> {
    await this.#end();
    await this.#client.send(new TerminateInstancesCommand({ InstanceIds: [this.id] }));
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#watching;
    await this.#end();
    this.#client.destroy();
  }

  async #end(): Promise<void> {
    const worker = this.#worker;
    await worker?.stop();
    this.#output += worker?.output?.() ?? '';
    // Not before the instance shows it: the watch would find it up without a worker.
    if (!this.#closed) await this.#client.send(new StopInstancesCommand({ InstanceIds: [this.id] }));
    this.#worker = undefined;
  }

  async #watch(): Promise<void> {
    while (!this.#closed) {
      await pause(LOOK_MS);
      if (this.#worker || !(await this.#isRunning())) continue;
      this.starts++;
      await pause(this.#props.bootMs);
      if (!this.#closed) this.#worker = this.#props.startWorker(this.id);
    }
  }

  async #isRunning(): Promise<boolean> {
    const { Reservations = [] } = await this.#client.send(
      new DescribeInstancesCommand({ InstanceIds: [this.id] }),
    );
    return Reservations[0]?.Instances?.[0]?.State?.Name === 'running';
  }
}
