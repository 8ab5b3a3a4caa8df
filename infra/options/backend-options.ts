import { BACKENDS, type BackendName } from './backends.js';
import type { Config } from './options-schema.js';
import type { Problem } from './problem.js';

/** Options that say nothing to the other backends: given for one of those, they are refused. */
const OWN: Readonly<Record<BackendName, readonly (keyof Config)[]>> = {
  sagemaker: [
    'scaleInPolicy',
    'maxInstances',
    'minCopies',
    'idleMinutes',
    'warmHours',
    'timeZone',
    'maxBatchSize',
    'securityGroupIds',
  ],
  ec2: ['idleSeconds', 'zones', 'diskGb', 'machineImage', 'generation', 'sessionManager', 'vpcId'],
};

/** Types, where none are given. An instance of EC2 can be made of any of them: one disk, one driver. */
const TYPES: Readonly<Record<BackendName, readonly [first: string, ...fallbacks: string[]]>> = {
  sagemaker: ['ml.g4dn.xlarge'],
  ec2: ['g4dn.xlarge', 'g4dn.2xlarge', 'g5.xlarge', 'g6.xlarge'],
};

type Typed = Pick<Config, 'backend' | 'fallbackInstanceTypes'> & {
  readonly instanceType?: string | undefined;
};

/** Instance types that nobody has named are the backend's own. */
export function withTypes<T extends Typed>(options: T): T & Pick<Config, 'instanceType'> {
  const [first, ...others] = TYPES[options.backend];
  const { instanceType = first } = options;
  const fallbacks = options.fallbackInstanceTypes ?? others.filter((type) => type !== instanceType);
  return { ...options, instanceType, ...(fallbacks.length > 0 && { fallbackInstanceTypes: fallbacks }) };
}

/** What does not go with the backend that was chosen. */
export function backendProblems(config: Config, given: object): Problem[] {
  const { backend } = config;
  const foreign = BACKENDS.filter((name) => name !== backend).flatMap((name) =>
    OWN[name]
      .filter((option) => option in given)
      .map((option): Problem => [option, `is an option of backend ${name}, and this is ${backend}`]),
  );
  return [...foreign, ...typeProblems(config), ...(backend === 'ec2' ? networkProblems(config, given) : [])];
}

function typeProblems({ backend, instanceType, fallbackInstanceTypes = [] }: Config): Problem[] {
  const isOther = (type: string) => type.startsWith('ml.') !== (backend === 'sagemaker');
  const say = (option: string, type: string): Problem => {
    const name = type.replace(/^ml\./, '');
    return [option, `${type} is no type of backend ${backend}: ${backend === 'ec2' ? name : `ml.${name}`}`];
  };
  return [
    ...(isOther(instanceType) ? [say('instanceType', instanceType)] : []),
    ...fallbackInstanceTypes.filter(isOther).map((type) => say('fallbackInstanceTypes', type)),
  ];
}

function networkProblems({ vpcId, subnetIds }: Config, given: object): Problem[] {
  const problems: Problem[] = [];
  if (!vpcId !== !subnetIds) problems.push(['vpcId', 'goes together with {subnetIds}']);
  if (subnetIds && subnetIds.length > 2)
    problems.push(['subnetIds', 'one instance in each, and two at most']);
  if (vpcId && 'zones' in given) problems.push(['zones', 'the subnets say which they are']);
  return problems;
}
