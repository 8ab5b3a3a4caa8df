import { CloudWatchLogsClient, DescribeLogGroupsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { DescribeInferenceComponentCommand, SageMakerClient } from '@aws-sdk/client-sagemaker';
import {
  ListAWSDefaultServiceQuotasCommand,
  ListServiceQuotasCommand,
  ServiceQuotasClient,
} from '@aws-sdk/client-service-quotas';
import { GetParameterCommand, ParameterNotFound, SSMClient } from '@aws-sdk/client-ssm';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import type { Account, Quota } from '../account.js';
import { asked } from './asked.js';

/** CDK's default qualifier: `cdk bootstrap` without options. */
const BOOTSTRAP_VERSION = '/cdk-bootstrap/hnb659fds/version';
/** SageMaker has some 2,000 quotas, a hundred on a page. */
const MAX_PAGES = 60;

/** An account as the AWS SDK reaches it: region, credentials and endpoints as the AWS CLI finds them. */
export class AwsAccount implements Account {
  readonly #sts: STSClient;
  readonly #ssm: SSMClient;
  readonly #quotas: ServiceQuotasClient;
  readonly #logs: CloudWatchLogsClient;
  readonly #sagemaker: SageMakerClient;

  /** @param region @default the AWS CLI's */
  constructor(region?: string) {
    const config = { maxAttempts: 2, ...(region !== undefined && { region }) };
    this.#sts = new STSClient(config);
    this.#ssm = new SSMClient(config);
    this.#quotas = new ServiceQuotasClient(config);
    this.#logs = new CloudWatchLogsClient(config);
    this.#sagemaker = new SageMakerClient(config);
  }

  region(): Promise<string> {
    return asked('region', () => this.#sts.config.region());
  }

  identity() {
    return asked('sts:GetCallerIdentity', async () => {
      const { Account: account = '', Arn: arn = '' } = await this.#sts.send(new GetCallerIdentityCommand({}));
      return { account, arn };
    });
  }

  async bootstrapVersion(): Promise<number | undefined> {
    const value = await this.#parameter(BOOTSTRAP_VERSION);
    return value === undefined ? undefined : Number(value);
  }

  async isDeployed(stackName: string): Promise<boolean> {
    return (await this.#parameter(`/${stackName}/webhook-secret`)) !== undefined;
  }

  async endpointQuota(instanceType: string): Promise<Quota | undefined> {
    const name = `${instanceType} for endpoint usage`;
    // A quota that was never changed may be among the defaults only.
    return (
      (await this.#findQuota(name, ListServiceQuotasCommand)) ??
      (await this.#findQuota(name, ListAWSDefaultServiceQuotasCommand))
    );
  }

  hasLogGroup(name: string): Promise<boolean> {
    return asked('logs:DescribeLogGroups', async () => {
      const { logGroups = [] } = await this.#logs.send(
        new DescribeLogGroupsCommand({ logGroupNamePrefix: name }),
      );
      return logGroups.some(({ logGroupName }) => logGroupName === name);
    });
  }

  hasComponent(name: string): Promise<boolean> {
    return asked('sagemaker:DescribeInferenceComponent', async () => {
      const command = new DescribeInferenceComponentCommand({ InferenceComponentName: name });
      return this.#sagemaker.send(command).then(
        () => true,
        (error) => {
          if (/could not find/i.test(error?.message)) return false;
          throw error;
        },
      );
    });
  }

  /** Of its value only the doctor's own code hears. */
  #parameter(Name: string): Promise<string | undefined> {
    return asked('ssm:GetParameter', async () => {
      try {
        return (await this.#ssm.send(new GetParameterCommand({ Name }))).Parameter?.Value;
      } catch (error) {
        if (error instanceof ParameterNotFound) return undefined;
        throw error;
      }
    });
  }

  #findQuota(
    name: string,
    List: typeof ListServiceQuotasCommand | typeof ListAWSDefaultServiceQuotasCommand,
  ): Promise<Quota | undefined> {
    return asked(`servicequotas:${List.name.replace(/Command$/, '')}`, async () => {
      let token: string | undefined;
      for (let page = 0; page < MAX_PAGES; page++) {
        const command = new List({ ServiceCode: 'sagemaker', MaxResults: 100, NextToken: token });
        const { Quotas = [], NextToken } = await this.#quotas.send(command as ListServiceQuotasCommand);
        const found = Quotas.find(({ QuotaName }) => QuotaName === name);
        if (found) return { code: found.QuotaCode ?? '', value: found.Value ?? 0 };
        if (NextToken === undefined) return undefined;
        token = NextToken;
      }
      return undefined;
    });
  }
}
