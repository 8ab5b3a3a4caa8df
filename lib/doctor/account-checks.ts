import { type Account, AccountError } from './account.js';
import { type Check, failure, ok, type Verdict, warning } from './check.js';

/** CDK's templates of today ask for this one at least. */
const LEAST_BOOTSTRAP = 6;
/** Where AWS was reported to refuse endpoints that sleep. */
const REGIONS_WITHOUT_SLEEP: readonly string[] = ['eu-west-3'];

export interface AccountChecksProps {
  readonly account: Account;
  readonly stackName: string;
  /** Those that the endpoint may run on. */
  readonly instanceTypes: readonly string[];
}

/** What an account must have before a first deploy, and what must not be there. */
export function accountChecks(props: AccountChecksProps): Check[] {
  const { account, instanceTypes } = props;
  const checks: [string, () => Promise<Verdict>][] = [
    ['credentials', () => credentials(account)],
    ['region', () => region(account)],
    ['bootstrap', () => bootstrap(account)],
    ...instanceTypes.map((type): [string, () => Promise<Verdict>] => [
      `quota of ${type}`,
      () => quota(account, type),
    ]),
    ['names', () => names(props)],
  ];
  return checks.map(([name, check]) => ({ name, run: () => check().catch(whyNot) }));
}

async function credentials(account: Account): Promise<Verdict> {
  const { account: id, arn } = await account.identity();
  return ok(`account ${id}, ${arn.split(':').at(-1)}`);
}

async function region(account: Account): Promise<Verdict> {
  const name = await account.region();
  if (!REGIONS_WITHOUT_SLEEP.includes(name)) return ok(name);
  return warning(
    `${name} was reported to refuse endpoints that sleep`,
    'deploy to another: -c region=..., or keep a copy up: -c minCopies=1',
  );
}

async function bootstrap(account: Account): Promise<Verdict> {
  const version = await account.bootstrapVersion();
  if (version !== undefined && version >= LEAST_BOOTSTRAP) return ok(`version ${version}`);
  const [{ account: id }, name] = [await account.identity(), await account.region()];
  const found = version === undefined ? 'this account and region have none' : `version ${version} is too old`;
  return failure(found, `npx cdk bootstrap aws://${id}/${name}`);
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

async function names({ account, stackName }: AccountChecksProps): Promise<Verdict> {
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

/** What to do where AWS did not answer. */
function whyNot(error: unknown): Verdict {
  if (!(error instanceof AccountError)) throw error;
  const { fault, action, message } = error;
  switch (fault) {
    case 'no-region':
      return failure(
        'no region is set',
        'export AWS_REGION=us-east-1, or: aws configure set region us-east-1',
      );
    case 'no-credentials':
      return failure('no credentials were found', 'aws configure, aws sso login, or AWS_PROFILE=...');
    case 'bad-credentials':
      return failure('AWS does not take these credentials', 'aws sso login, or aws configure again');
    case 'denied':
      return warning(`these credentials may not ask (${action})`, `allow ${action}, or look yourself`);
    case 'unreachable':
      return failure(
        `AWS did not answer ${action}: ${message}`,
        'look at the network, the region, and AWS_ENDPOINT_URL',
      );
  }
}
