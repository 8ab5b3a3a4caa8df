import { type Account, AccountError, type InstanceAccount } from './account.js';
import { type Check, failure, ok, type Verdict, warning } from './check.js';
import { type EndpointChecksProps, endpointChecks } from './endpoint-checks.js';
import { instanceChecks } from './instance-checks.js';

/** CDK's templates of today ask for this one at least. */
const LEAST_BOOTSTRAP = 6;
/** Where AWS was reported to refuse endpoints that sleep. */
const REGIONS_WITHOUT_SLEEP: readonly string[] = ['eu-west-3'];

export interface AccountChecksProps extends EndpointChecksProps {
  /** Of the backend `ec2`. @default the stack has an endpoint of SageMaker */
  readonly instances?: InstanceAccount;
}

/** What an account must have before a first deploy, and what must not be there. */
export function accountChecks(props: AccountChecksProps): Check[] {
  const { account, stackName, instanceTypes, instances } = props;
  const checks: [string, () => Promise<Verdict>][] = [
    ['credentials', () => credentials(account)],
    ['region', () => region(account, instances === undefined)],
    ['bootstrap', () => bootstrap(account)],
    ...(instances
      ? instanceChecks({ account, instances, stackName, instanceType: instanceTypes[0] as string })
      : endpointChecks(props)),
  ];
  return checks.map(([name, check]) => ({ name, run: () => check().catch(whyNot) }));
}

async function credentials(account: Account): Promise<Verdict> {
  const { account: id, arn } = await account.identity();
  return ok(`account ${id}, ${arn.split(':').at(-1)}`);
}

async function region(account: Account, isForEndpoint: boolean): Promise<Verdict> {
  const name = await account.region();
  if (!isForEndpoint || !REGIONS_WITHOUT_SLEEP.includes(name)) return ok(name);
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
