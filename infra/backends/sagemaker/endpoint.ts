import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { type IMetric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { DockerImageAsset } from 'aws-cdk-lib/aws-ecr-assets';
import { Grant, type IGrantable, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { CfnEndpoint, CfnEndpointConfig, CfnInferenceComponent, CfnModel } from 'aws-cdk-lib/aws-sagemaker';
import type { Construct } from 'constructs';
import { acknowledge } from '../../basics/acknowledge.js';
import type { NodeFunction } from '../../basics/node-function.js';
import { serviceMetric } from '../../basics/service-metrics.js';
import type { ModelBundle } from '../../model/model-bundle.js';
import { type AlarmCondition, Backend, type Graph } from '../backend.js';
import { EndpointMetrics } from './endpoint-metrics.js';
import { EndpointScaling, type ScalingLimits } from './endpoint-scaling.js';
import { joinNetwork, type Network, networkIn, type VpcNetwork } from './network.js';

const VARIANT = 'AllTraffic';
/** Driver 580, CUDA 13.0. Unset, g4dn gets CUDA 11.4 and the container never starts, without a log. */
const HOST_IMAGE = 'al2023-ami-sagemaker-inference-gpu-4-1';
/** What the scheduler sets aside, no limit: it refuses 4096 on a machine of 16 GiB. Megabytes. */
const MEMORY = 1024;
/** Weights take 15 s at most; a container that cannot start is billed for this long. Seconds; AWS takes 60 to 3600. */
const STARTUP_TIMEOUT = 900;
/** So long SageMaker tries one instance type before it takes the next. Seconds; AWS takes 300 to 3600. */
const PROVISION_TIMEOUT = 300;
/** Requests that a copy takes at once from the queue: what target tracking aims at, so that a backlog scales out. */
const MESSAGES_PER_COPY = 2;
/** A wake takes 10 minutes at most; a message that is older waits for one that came to nothing. */
const OLDEST_MESSAGE = Duration.minutes(15);
/** Hours without pause that make somebody look. */
const AWAKE_HOURS = 12;
/** From the last change of an endpoint until SageMaker consolidates its instances: the least. Minutes. */
const CONSOLIDATION_COOLDOWN = 5;

export interface EndpointProps {
  /** Of the inference component, unique in the account's region; and of the service in its metrics. */
  readonly name: string;
  readonly container: {
    readonly image: DockerImageAsset;
    readonly model: ModelBundle;
    /** On top of the image's own. */
    readonly environment: Readonly<Record<string, string>>;
  };
  readonly instances: InstanceProps;
  readonly limits: ScalingLimits;
  /** Counts of work that waits elsewhere: it must not sleep before that is done. */
  readonly pending: Readonly<Record<string, IMetric>>;
  readonly logDays: RetentionDays;
  /** @default SageMaker's own */
  readonly network?: Network | VpcNetwork;
}

/** What the copies run on. */
export interface InstanceProps {
  /** `ml.*`, with a GPU; where there is none of the first the next is taken. One at least. */
  readonly types: readonly string[];
  readonly scaleInPolicy: 'none' | 'idle-release' | 'consolidation';
}

/** Where pictures are drawn: a SageMaker endpoint with one inference component, 0 to N copies of the container. */
export class Endpoint extends Backend {
  readonly environment: Readonly<Record<string, string>>;
  readonly messagesAtOnce: number;
  readonly givenUp = 'the endpoint did not take them for 20 minutes';
  readonly #name: string;
  readonly #sleeps: boolean;
  readonly #metrics: EndpointMetrics;
  readonly #endpoint: CfnEndpoint;
  readonly #component: CfnInferenceComponent;

  constructor(scope: Construct, id: string, props: EndpointProps) {
    super(scope, id);
    const { name, limits, pending } = props;
    this.#name = name;
    const network =
      props.network && ('vpc' in props.network ? networkIn(this, props.network) : props.network);
    const role = this.#makeRole(props, network);
    this.#endpoint = this.#makeEndpoint(props, role, network);
    this.#component = this.#makeComponent(props, role);
    this.messagesAtOnce = MESSAGES_PER_COPY * limits.maxCopies;
    this.#sleeps = limits.minCopies === 0 && !limits.warmHours;
    this.#metrics = new EndpointMetrics(name, this.#endpoint.attrEndpointName, VARIANT);
    this.environment = {
      ENDPOINT_NAME: this.#endpoint.attrEndpointName,
      INFERENCE_COMPONENT_NAME: name,
    };
    new EndpointScaling(this, 'Scaling', {
      component: this.#component,
      name,
      limits,
      metrics: this.#metrics,
      pending,
    });
  }

  get alarms(): Readonly<Record<string, AlarmCondition>> {
    const FailedWake = {
      alarmDescription: 'A prediction waits longer than a wake takes: does the endpoint come up?',
      // SQS itself no longer counts the age of a message that was received three times.
      metric: serviceMetric(this.#name, 'QueueAgeSeconds', { statistic: Stats.MAXIMUM }),
      threshold: OLDEST_MESSAGE.toSeconds(),
      evaluationPeriods: 1,
    };
    if (!this.#sleeps) return { FailedWake };
    const AwakeForLong = {
      alarmDescription: `An instance has been up, and billed, for ${AWAKE_HOURS} hours without a pause.`,
      metric: this.instanceMinutes(Duration.hours(1)),
      threshold: 1,
      evaluationPeriods: AWAKE_HOURS,
    };
    return { FailedWake, AwakeForLong };
  }

  get graphs(): Graph[] {
    const metrics = this.#metrics;
    const noCapacity = metrics.noCapacity().with({ period: Duration.minutes(1) });
    return [
      {
        title: 'Endpoint: requests',
        left: [metrics.invocations(), metrics.serverErrors(), noCapacity],
        right: [metrics.concurrency()],
      },
      { title: 'Endpoint: latency (us, p95)', left: [metrics.latency()] },
      { title: 'GPU (%)', left: [metrics.gpu(), metrics.gpuMemory()] },
    ];
  }

  instanceMinutes(period: Duration, label?: string): IMetric {
    return this.#metrics.instances().with({ period, ...(label !== undefined && { label }) });
  }

  grantApi(api: NodeFunction): void {
    this.#grantInvoke(api);
    this.#grantWake(api);
  }

  grantConsumer(consumer: NodeFunction): void {
    this.#grantInvoke(consumer);
    this.#grantWake(consumer);
  }

  /** What was given up needs nothing of it. */
  grantDeadLetters(_: NodeFunction): void {}

  /** Draw pictures. SageMaker checks both the endpoint and the component. */
  #grantInvoke(grantee: IGrantable): Grant {
    return Grant.addToPrincipal({
      grantee,
      actions: ['sagemaker:InvokeEndpoint'],
      resourceArns: [this.#endpoint.ref, this.#component.ref],
    });
  }

  /** See how many copies there are, and ask for one. */
  #grantWake(grantee: IGrantable): Grant {
    return Grant.addToPrincipal({
      grantee,
      actions: ['sagemaker:DescribeInferenceComponent', 'sagemaker:UpdateInferenceComponentRuntimeConfig'],
      resourceArns: [this.#component.ref],
    });
  }

  #makeRole({ name, container: { image, model }, logDays }: EndpointProps, network?: Network): Role {
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('sagemaker.amazonaws.com'),
      description: 'What the container of the endpoint may do',
    });
    // Made here so that it has an end, and goes with the stack.
    const logs = new LogGroup(this, 'Logs', {
      logGroupName: `/aws/sagemaker/InferenceComponents/${name}`,
      retention: logDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    logs.grant(
      role,
      'logs:CreateLogGroup',
      'logs:CreateLogStream',
      'logs:DescribeLogStreams',
      'logs:PutLogEvents',
    );
    Grant.addToPrincipal({
      grantee: role,
      actions: ['cloudwatch:PutMetricData'],
      resourceArns: ['*'],
      conditions: { StringLike: { 'cloudwatch:namespace': '/aws/sagemaker/*' } },
    });
    model.grantRead(role);
    model.grantRecord(role);
    image.repository.grantPull(role);
    if (network) joinNetwork(role, network);
    acknowledge(role, {
      'AwsSolutions-IAM5[Resource::*]':
        'ecr:GetAuthorizationToken, cloudwatch:PutMetricData (bound to its namespaces), and in a VPC the ec2:Describe calls know no narrower resource.',
      ...model.readReasons,
    });
    return role;
  }

  #makeEndpoint({ instances, limits }: EndpointProps, role: Role, network?: Network): CfnEndpoint {
    const { minCopies, maxCopies } = limits;
    const scaleInPolicy = scaleIn(instances.scaleInPolicy);
    // Nothing in it can be changed: unnamed, CloudFormation makes a new one and the endpoint moves to it.
    const config = new CfnEndpointConfig(this, 'Config', {
      executionRoleArn: role.roleArn,
      productionVariants: [
        {
          variantName: VARIANT,
          ...hosts(instances.types),
          // The least that AWS takes: the first one is up, and billed, from the deploy until it is found idle.
          initialInstanceCount: Math.max(1, minCopies),
          inferenceAmiVersion: HOST_IMAGE,
          containerStartupHealthCheckTimeoutInSeconds: STARTUP_TIMEOUT,
          managedInstanceScaling: {
            status: 'ENABLED',
            minInstanceCount: minCopies,
            // One more than copies: a new version comes up beside the old one before that goes.
            maxInstanceCount: maxCopies + 1,
            ...(scaleInPolicy && { scaleInPolicy }),
          },
          routingConfig: { routingStrategy: 'LEAST_OUTSTANDING_REQUESTS' },
        },
      ],
      ...(network && {
        vpcConfig: { subnets: [...network.subnetIds], securityGroupIds: [...network.securityGroupIds] },
      }),
    });
    // With the permissions, which are needed to the end.
    config.node.addDependency(role);
    return new CfnEndpoint(this, 'Endpoint', { endpointConfigName: config.attrEndpointConfigName });
  }

  #makeComponent({ name, container, instances, limits }: EndpointProps, role: Role): CfnInferenceComponent {
    const { image, model, environment } = container;
    // A new image or other weights make a new model; the component moves to it copy by copy, the old one goes last.
    const version = new CfnModel(this, 'Model', {
      executionRoleArn: role.roleArn,
      primaryContainer: { image: image.imageUri, environment: { MODEL_URI: model.uri, ...environment } },
    });
    version.node.addDependency(role, model.ready);
    const specification = {
      modelName: version.attrModelName,
      computeResourceRequirements: {
        minMemoryRequiredInMb: MEMORY,
        numberOfAcceleratorDevicesRequired: 1,
      },
      startupParameters: { containerStartupHealthCheckTimeoutInSeconds: STARTUP_TIMEOUT },
      // The instance keeps the image: a wake before it is given back, and an update, need not pull it.
      dataCacheConfig: { enableCaching: true },
    };
    const [, ...fallbacks] = instances.types;
    const component = new CfnInferenceComponent(this, 'Component', {
      inferenceComponentName: name,
      // The attribute, so that it is made after the endpoint, and deleted before it.
      endpointName: this.#endpoint.attrEndpointName,
      variantName: VARIANT,
      ...(fallbacks.length === 0
        ? { specification }
        : { specifications: instances.types.map((instanceType) => ({ instanceType, ...specification })) }),
      // 0 is refused.
      runtimeConfig: { copyCount: Math.max(1, limits.minCopies) },
      deploymentConfig: {
        // "Between 5% to 50%" says AWS; one copy, too, is replaced by one that answers before it goes.
        rollingUpdatePolicy: {
          maximumBatchSize: { type: 'CAPACITY_PERCENT', value: 50 },
          waitIntervalInSeconds: 30,
        },
      },
    });
    component.node.addDependency(role);
    return component;
  }
}

/** One type, or several by priority. */
function hosts(types: readonly string[]): Partial<CfnEndpointConfig.ProductionVariantProperty> {
  const [instanceType = '', ...fallbacks] = types;
  if (fallbacks.length === 0) return { instanceType };
  return {
    instancePools: types.map((type, index) => ({ instanceType: type, priority: index + 1 })),
    variantInstanceProvisionTimeoutInSeconds: PROVISION_TIMEOUT,
  };
}

/** The cooldown is documented for consolidation only. */
function scaleIn(
  policy: InstanceProps['scaleInPolicy'],
): CfnEndpointConfig.ScaleInPolicyProperty | undefined {
  if (policy === 'none') return undefined;
  if (policy === 'idle-release') return { strategy: 'IDLE_RELEASE' };
  return { strategy: 'CONSOLIDATION', cooldownInMinutes: CONSOLIDATION_COOLDOWN };
}
