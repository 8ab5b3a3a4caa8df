import type { Account } from './account.js';
import { failure, ok, type Verdict, warning } from './check.js';

export interface EndpointChecksProps {
  readonly account: Account;
  readonly stackName: string;
  /** Those that the endpoint may run on. */
  readonly instanceTypes: readonly string[];
}

/** What a deploy of an endpoint of SageMaker stands on. */
export function endpointChecks(props: EndpointChecksProps): [string, () => Promise<Verdict>][] {
  const { account, instanceTypes } = props;
  return [
    ...instanceTypes.map((type): [string, () => Promise<Verdict>] => [
      `quota of ${type}`,
      () => quota(account, type),
    ]),
    ['names', () => names(props)],
  ];
}

async function quota(account: Account, type: string): Promise<Verdict> {
  const found = await account.endpointQuota(type);
  if (!found) {
    return warning(
      `AWS lists no quota "${type} for endpoint usage" here`,
      'the region may not have this type: look at Service Quotas, Amazon SageMaker, or take another -c instanceType=...',
    );
  }
  const ask =
    `aws service-quotas request-service-quota-increase --service-code sagemaker --quota-code ${found.code} ` +
    `--desired-value 2 --region ${await account.region()}; AWS answers within hours or days`;
  if (found.value < 1) return failure(`${found.value} instances: nothing could be started`, ask);
  if (found.value < 2)
    return warning(`${found.value} instance: an update must wait until the endpoint sleeps`, ask);
  return ok(`${found.value} instances`);
}

async function names({ account, stackName }: EndpointChecksProps): Promise<Verdict> {
  if (await account.isDeployed(stackName)) return ok(`${stackName} is deployed: this will be an update`);
  const logGroup = `/aws/sagemaker/InferenceComponents/${stackName}`;
  const another = 'deploy under another name: -c stackName=...';
  if (await account.hasComponent(stackName))
    return failure(`an inference component ${stackName} is there, and not of this stack`, another);
  if (await account.hasLogGroup(logGroup)) {
    return failure(
      `the log group ${logGroup} is left over`,
      `aws logs delete-log-group --log-group-name ${logGroup}, or ${another}`,
    );
  }
  return ok(`${stackName} is free`);
}
