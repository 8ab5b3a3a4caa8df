import { Annotations, type Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import type { IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import type { DockerImageAsset } from 'aws-cdk-lib/aws-ecr-assets';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { acknowledge } from '../../basics/acknowledge.js';
import type { FunctionBasics } from '../../basics/function-settings.js';
import type { NodeFunction } from '../../basics/node-function.js';
import type { ModelBundle } from '../../model/model-bundle.js';
import { type AlarmCondition, Backend, type Graph } from '../backend.js';
import { DrawQueue } from './draw-queue.js';
import { Machine } from './machine.js';
import { machineImage } from './machine-image.js';
import { awakeForLong, instanceMinutes, processorGraph } from './machine-watch.js';
import { MachineNetwork, type MachineNetworkProps } from './network.js';
import { Stopped } from './stopped.js';
import type { Surroundings } from './surroundings.js';
import { WorkerRole } from './worker-role.js';

/** Webhooks and watches that the consumer looks after at once; nothing is drawn by it. */
const MESSAGES_AT_ONCE = 4;

export interface Ec2BackendProps {
  /** Of the instances, for people. */
  readonly name: string;
  readonly container: {
    readonly image: DockerImageAsset;
    readonly model: ModelBundle;
    /** On top of the image's own. */
    readonly environment: Readonly<Record<string, string>>;
    /** Seconds without a message after which it sleeps. */
    readonly idleSeconds: number;
  };
  readonly instances: InstanceProps;
  readonly network: MachineNetworkProps;
  readonly surroundings: Surroundings;
  readonly basics: FunctionBasics;
  /** Directory of what an instance runs around the container. */
  readonly scripts: string;
}

export interface InstanceProps {
  /** With a GPU: the first is made, into the others it is changed where there is none of the first to be had. */
  readonly types: readonly string[];
  readonly diskGb: number;
  /** `ami-...`, or `recommended`: AWS's newest. */
  readonly machineImage: string;
  /** Another one makes instances anew that are otherwise the same. @default none */
  readonly generation?: string;
  readonly sessionManager: boolean;
}

/**
 * Instances of one's own that are stopped while nobody asks. They are started directly, take what is to be drawn from a
 * queue, and power off by themselves; one is awake at a time, the second is for a zone that has no room.
 */
export class Ec2Backend extends Backend {
  readonly environment: Readonly<Record<string, string>>;
  readonly messagesAtOnce = MESSAGES_AT_ONCE;
  readonly givenUp = 'no instance came up for 20 minutes, or three workers ended at the same picture';
  override readonly machineImage: string;
  readonly #drawQueue: DrawQueue;
  readonly #surroundings: Surroundings;
  readonly #instanceIds: readonly string[];

  constructor(scope: Construct, id: string, props: Ec2BackendProps) {
    super(scope, id);
    const { instances, surroundings, basics } = props;
    this.#surroundings = surroundings;
    this.#drawQueue = new DrawQueue(this, 'Draw');
    this.machineImage = machineImage(this, instances.machineImage);
    this.#instanceIds = this.#makeMachines(props);
    this.environment = {
      BACKEND: 'ec2',
      INSTANCE_IDS: this.#instanceIds.join(','),
      INSTANCE_TYPES: instances.types.join(','),
      ...this.#drawQueue.environment,
    };
    this.#makeStopped(basics);
  }

  get alarms(): Readonly<Record<string, AlarmCondition>> {
    return { NoWake: this.#drawQueue.noWake, ...awakeForLong(this.#instanceIds) };
  }

  get graphs(): Graph[] {
    return [...this.#drawQueue.graphs, processorGraph(this.#instanceIds)];
  }

  instanceMinutes(period: Duration, label?: string): IMetric {
    return instanceMinutes(this.#instanceIds, period, label);
  }

  grantApi(api: NodeFunction): void {
    this.#drawQueue.grantSend(api);
    this.#surroundings.results.grantReadWorkerState(api);
    this.#grantWake(api);
  }

  grantConsumer(consumer: NodeFunction): void {
    this.grantApi(consumer);
    this.#drawQueue.grantCount(consumer);
  }

  grantDeadLetters(deadLetters: NodeFunction): void {
    this.#drawQueue.buryWith(deadLetters);
  }

  /** See what the instances do, start them, and make them of another type where there is none of theirs. */
  #grantWake(grantee: IGrantable & Construct): void {
    const allow = (actions: string[], resourceArns: string[]) =>
      Grant.addToPrincipal({ grantee, actions, resourceArns });
    const arns = this.#instanceIds.map((resourceName) =>
      Stack.of(this).formatArn({ service: 'ec2', resource: 'instance', resourceName }),
    );
    allow(['ec2:StartInstances', 'ec2:ModifyInstanceAttribute'], arns);
    allow(['ec2:DescribeInstances'], ['*']);
    acknowledge(grantee, {
      'AwsSolutions-IAM5[Resource::*]': 'ec2:DescribeInstances knows no narrower resource.',
    });
  }

  #makeMachines(props: Ec2BackendProps): string[] {
    const { name, container, instances, surroundings, basics, scripts } = props;
    const { image, model } = container;
    const network = new MachineNetwork(this, 'Network', props.network);
    const logs = new LogGroup(this, 'Logs', {
      retention: basics.logDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const { sessionManager, generation } = instances;
    const role = new WorkerRole(this, 'Worker', {
      ...{ image, model, drawQueue: this.#drawQueue, surroundings, logs, sessionManager },
    });
    const region = Stack.of(this).region;
    // CloudFormation's own words for it, when it comes to that, say nothing of what to do.
    Annotations.of(this).addInfo(
      'a deploy that replaces an instance needs the quota for two while the old one is awake. With less it fails with ' +
        'VcpuLimitExceeded ("more vCPU capacity than your current vCPU limit"), goes back, and nothing is lost: deploy while it ' +
        'sleeps (GET /health says so), or ask for more. `npx sd-turbo doctor --backend ec2` says what there is',
    );
    const machines = network.subnetIds.map((subnetId, index) => {
      const machine = new Machine(this, `Machine${index + 1}`, {
        ...{ name, imageId: this.machineImage, subnetId, network, role, diskGb: instances.diskGb },
        instanceType: instances.types[0] as string,
        ...(generation !== undefined && { generation }),
        boot: {
          scripts,
          machine: { REGION: region, IMAGE: image.imageUri, LOG_GROUP: logs.logGroupName },
          worker: {
            ...container.environment,
            MODEL_URI: model.uri,
            AWS_REGION: region,
            IDLE_SECONDS: String(container.idleSeconds),
            ...surroundings.results.environment,
            ...surroundings.queue.environment,
            ...this.#drawQueue.environment,
            ...surroundings.telemetry,
          },
        },
      });
      machine.node.addDependency(model.ready);
      return machine;
    });
    // One after the other: a quota that allows one at a time does for nearly every deploy.
    for (const [index, machine] of machines.entries())
      if (index > 0) machine.node.addDependency(machines[index - 1] as Machine);
    return machines.map(({ instanceId }) => instanceId);
  }

  #makeStopped(basics: FunctionBasics): void {
    const { results, queue, telemetry } = this.#surroundings;
    const { handler } = new Stopped(this, 'Stopped', {
      instanceIds: this.#instanceIds,
      settings: {
        ...basics,
        environment: { ...this.environment, ...results.environment, ...queue.environment, ...telemetry },
      },
    });
    results.grantWakeLog(handler);
    results.grantReadWorkerState(handler);
    this.#drawQueue.grantCount(handler);
    this.#grantWake(handler);
  }
}
