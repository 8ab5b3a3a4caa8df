import type { Account, InstanceAccount } from './account.js';
import { failure, ok, type Verdict, warning } from './check.js';

/** Of `ec2`, which asks for them under this name. */
const QUOTA = '"Running On-Demand G and VT instances"';

export interface InstanceChecksProps {
  readonly account: Account;
  readonly instances: InstanceAccount;
  readonly stackName: string;
  /** What the instance is made of; what it may be changed to matters at no deploy. */
  readonly instanceType: string;
}

/** What a deploy with `-c backend=ec2` stands on. */
export function instanceChecks(props: InstanceChecksProps): [string, () => Promise<Verdict>][] {
  return [
    ['quota of GPU instances', () => quota(props)],
    [`zones of ${props.instanceType}`, () => zones(props)],
    ['machine image', () => machineImage(props)],
  ];
}

async function quota({ account, instances, instanceType }: InstanceChecksProps): Promise<Verdict> {
  const needed = await instances.vcpus(instanceType);
  if (needed === undefined) {
    return failure(
      `${await account.region()} has no ${instanceType}`,
      'deploy to another region: -c region=..., or take another -c instanceType=...',
    );
  }
  const found = await instances.gpuQuota();
  if (!found) return warning(`AWS lists no quota ${QUOTA} here`, 'look at Service Quotas, Amazon EC2');
  const { code, value } = found;
  const ask =
    `aws service-quotas request-service-quota-increase --service-code ec2 --quota-code ${code} ` +
    `--desired-value ${2 * needed} --region ${await account.region()}; AWS answers within hours or days`;
  const has = `${value} vCPUs, and ${instanceType} has ${needed}`;
  if (value < needed) return failure(`${has}: nothing could be started`, ask);
  if (value < 2 * needed) return warning(`${has}: an update must wait until the instance sleeps`, ask);
  return ok(has);
}

async function zones({ account, instances, instanceType }: InstanceChecksProps): Promise<Verdict> {
  const [all, having] = await Promise.all([instances.zones(), instances.zonesWith(instanceType)]);
  const first = all[0] ?? `the first zone of ${await account.region()}`;
  if (having.includes(first)) return ok(having.join(', '));
  if (having.length === 0)
    return failure(`${await account.region()} has no ${instanceType}`, 'deploy to another: -c region=...');
  return failure(
    `a deploy takes ${first}, which has none; ${having.join(', ')} have`,
    `name the zone: -c zones=${having[0]}`,
  );
}

async function machineImage({ account, instances, stackName }: InstanceChecksProps): Promise<Verdict> {
  const [recommended, deployed] = [await instances.recommendedImage(), await instances.imagesOf(stackName)];
  if (recommended === undefined) {
    return failure(
      `AWS recommends none in ${await account.region()}`,
      'name one, made as the GPU-optimised Amazon Linux 2023 of ECS: -c machineImage=ami-...',
    );
  }
  if (deployed.length === 0 && (await account.isDeployed(stackName))) {
    return warning(
      `${stackName} is deployed and has no instance: terminated by hand, or of another backend`,
      'terminated by hand: deploy with -c generation=2, or another word than the last deploy had',
    );
  }
  const old = deployed.find((image) => image !== recommended);
  if (old === undefined) return ok(recommended);
  return warning(
    `${recommended} is newer than ${old}, of which the instance is made: a deploy makes a new one`,
    `that needs the quota for two, or that it sleeps; keep the old one by -c machineImage=${old}`,
  );
}
