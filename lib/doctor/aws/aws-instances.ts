import {
  DescribeAvailabilityZonesCommand,
  DescribeInstancesCommand,
  DescribeInstanceTypeOfferingsCommand,
  DescribeInstanceTypesCommand,
  EC2Client,
  type _InstanceType as InstanceType,
} from '@aws-sdk/client-ec2';
import {
  GetAWSDefaultServiceQuotaCommand,
  GetServiceQuotaCommand,
  NoSuchResourceException,
  ServiceQuotasClient,
} from '@aws-sdk/client-service-quotas';
import { GetParameterCommand, ParameterNotFound, SSMClient } from '@aws-sdk/client-ssm';
import type { InstanceAccount, Quota } from '../account.js';
import { asked } from './asked.js';

/** Running On-Demand G and VT instances, in vCPUs. */
const GPU_QUOTA = { ServiceCode: 'ec2', QuotaCode: 'L-DB2E81BA' };
/** As `infra/backends/ec2/machine-image.ts` asks for it. */
const RECOMMENDED = '/aws/service/ecs/optimized-ami/amazon-linux-2023/gpu/recommended/image_id';
/** Where CloudFormation writes whose an instance is. */
const STACK_TAG = 'aws:cloudformation:stack-name';

/** EC2 as the AWS SDK reaches it. */
export class AwsInstances implements InstanceAccount {
  readonly #ec2: EC2Client;
  readonly #quotas: ServiceQuotasClient;
  readonly #ssm: SSMClient;

  /** @param region @default the AWS CLI's */
  constructor(region?: string) {
    const config = { maxAttempts: 2, ...(region !== undefined && { region }) };
    this.#ec2 = new EC2Client(config);
    this.#quotas = new ServiceQuotasClient(config);
    this.#ssm = new SSMClient(config);
  }

  gpuQuota(): Promise<Quota | undefined> {
    return asked('servicequotas:GetServiceQuota', async () => {
      // A quota that was never changed may be among the defaults only.
      for (const command of [
        new GetServiceQuotaCommand(GPU_QUOTA),
        new GetAWSDefaultServiceQuotaCommand(GPU_QUOTA),
      ]) {
        const { Quota } = await this.#quotas.send(command as GetServiceQuotaCommand).catch(noneOf);
        if (Quota?.Value !== undefined) return { code: GPU_QUOTA.QuotaCode, value: Quota.Value };
      }
      return undefined;
    });
  }

  vcpus(instanceType: string): Promise<number | undefined> {
    return asked('ec2:DescribeInstanceTypes', async () => {
      // By a filter: of a type that the region has not the whole call would fail else.
      const Filters = [{ Name: 'instance-type', Values: [instanceType] }];
      const { InstanceTypes = [] } = await this.#ec2.send(new DescribeInstanceTypesCommand({ Filters }));
      const found = InstanceTypes.find(({ InstanceType: type }) => type === (instanceType as InstanceType));
      return found?.VCpuInfo?.DefaultVCpus;
    });
  }

  zonesWith(instanceType: string): Promise<string[]> {
    return asked('ec2:DescribeInstanceTypeOfferings', async () => {
      const { InstanceTypeOfferings = [] } = await this.#ec2.send(
        new DescribeInstanceTypeOfferingsCommand({
          LocationType: 'availability-zone',
          Filters: [{ Name: 'instance-type', Values: [instanceType] }],
        }),
      );
      return InstanceTypeOfferings.flatMap(({ Location }) => Location ?? []).sort();
    });
  }

  zones(): Promise<string[]> {
    return asked('ec2:DescribeAvailabilityZones', async () => {
      const { AvailabilityZones = [] } = await this.#ec2.send(new DescribeAvailabilityZonesCommand({}));
      return AvailabilityZones.filter(
        ({ ZoneType = 'availability-zone' }) => ZoneType === 'availability-zone',
      )
        .flatMap(({ ZoneName }) => ZoneName ?? [])
        .sort();
    });
  }

  recommendedImage(): Promise<string | undefined> {
    return asked('ssm:GetParameter', async () => {
      try {
        return (await this.#ssm.send(new GetParameterCommand({ Name: RECOMMENDED }))).Parameter?.Value;
      } catch (error) {
        if (error instanceof ParameterNotFound) return undefined;
        throw error;
      }
    });
  }

  imagesOf(stackName: string): Promise<string[]> {
    return asked('ec2:DescribeInstances', async () => {
      const { Reservations = [] } = await this.#ec2.send(
        new DescribeInstancesCommand({
          Filters: [
            { Name: `tag:${STACK_TAG}`, Values: [stackName] },
            { Name: 'instance-state-name', Values: ['pending', 'running', 'stopping', 'stopped'] },
          ],
        }),
      );
      return Reservations.flatMap(({ Instances = [] }) => Instances).flatMap(({ ImageId }) => ImageId ?? []);
    });
  }
}

function noneOf(error: unknown): { Quota?: never } {
  if (error instanceof NoSuchResourceException) return {};
  throw error;
}
