import { OBJECT_PATHS, type ObjectProps } from './objects.js';
import type { Config } from './options-schema.js';
import type { SdTurboProps } from './props/sd-turbo-props.js';

/** Where an option of the command line stands among the props of `SdTurbo`. The stack itself has what is not here. */
const PATHS = {
  stackName: 'name',
  backend: 'backend',
  instanceType: 'instances.type',
  fallbackInstanceTypes: 'instances.fallbackTypes',
  scaleInPolicy: 'instances.scaleInPolicy',
  maxInstances: 'instances.max',
  zones: 'instances.zones',
  diskGb: 'instances.diskGb',
  machineImage: 'instances.machineImage',
  generation: 'instances.generation',
  sessionManager: 'instances.sessionManager',
  minCopies: 'sleep.minCopies',
  idleMinutes: 'sleep.idleMinutes',
  warmHours: 'sleep.warmHours',
  timeZone: 'sleep.timeZone',
  idleSeconds: 'sleep.idleSeconds',
  model: 'model.repository',
  revision: 'model.revision',
  taesd: 'model.taesd',
  taesdRevision: 'model.taesdRevision',
  modelUri: 'model.uri',
  keepWeights: 'model.keep',
  dialect: 'drawing.dialect',
  precision: 'drawing.precision',
  imageToImage: 'drawing.imageToImage',
  decoder: 'drawing.decoder',
  attentionKernels: 'drawing.attentionKernels',
  maxBatchSize: 'drawing.maxBatchSize',
  rateLimit: 'api.rateLimit',
  burstLimit: 'api.burstLimit',
  dailyQuota: 'api.dailyQuota',
  corsOrigins: 'api.corsOrigins',
  accessLog: 'api.accessLog',
  retentionDays: 'predictions.retentionDays',
  logDays: 'logs.retentionDays',
  alarmEmail: 'alarms.email',
  monthlyBudget: 'alarms.monthlyBudget',
  vpcId: 'network.vpcId',
  subnetIds: 'network.subnetIds',
  securityGroupIds: 'network.securityGroupIds',
  removalPolicy: 'removalPolicy',
} as const satisfies Readonly<Record<Exclude<keyof Config, 'region'>, string>>;

/** Every prop by its path, groups included in it. */
export type PropPath = (typeof PATHS)[keyof typeof PATHS] | keyof ObjectProps;

const OPTION_AT: ReadonlyMap<string, string> = new Map(
  Object.entries(PATHS).map(([option, path]) => [path, option]),
);
const KNOWN: readonly string[] = [...OPTION_AT.keys(), ...OBJECT_PATHS];
const GROUPS: ReadonlySet<string> = new Set(KNOWN.flatMap((path) => path.match(/^\w+(?=\.)/) ?? []));

/** What a prop is called by who writes props. */
export function pathOf(option: string): string {
  return (PATHS as Readonly<Record<string, string>>)[option] ?? option;
}

/** Options as props; texts of the command line stay what they are, and are read when the props are. */
export function toProps(given: Readonly<Record<string, unknown>>): SdTurboProps {
  const props: Record<string, unknown> = {};
  for (const [option, value] of Object.entries(given)) {
    if (!(option in PATHS)) continue;
    const [group = '', name] = pathOf(option).split('.');
    props[group] = name === undefined ? value : { ...(props[group] as object), [name]: value };
  }
  return props;
}

/** Props as options, objects of CDK as they are, and what is wrong with the names of the rest. */
export function fromProps(props: SdTurboProps): {
  given: Record<string, unknown>;
  objects: ObjectProps;
  problems: string[];
} {
  const given: Record<string, unknown> = {};
  const objects: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const [path, value] of leaves(props)) {
    const option = OPTION_AT.get(path);
    if (option !== undefined) given[option] = value;
    else if (KNOWN.includes(path)) objects[path] = value;
    else if (GROUPS.has(path)) problems.push(`${path}: must be an object with ${membersOf(path)}`);
    else problems.push(`${path}: is no prop; there are ${neighboursOf(path)}`);
  }
  return { given, objects, problems };
}

/** What is set, by its path: groups are one level deep. */
function leaves(props: object): [path: string, value: unknown][] {
  const isSet = ([, value]: [string, unknown]) => value !== undefined;
  return Object.entries(props)
    .filter(isSet)
    .flatMap(([name, value]) => {
      if (!GROUPS.has(name) || !isGroup(value)) return [[name, value] as [string, unknown]];
      const inner = Object.entries(value).filter(isSet);
      return inner.map(([member, of]) => [`${name}.${member}`, of] as [string, unknown]);
    });
}

function isGroup(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function membersOf(group: string): string {
  return KNOWN.filter((path) => path.startsWith(`${group}.`)).join(', ');
}

function neighboursOf(path: string): string {
  const [group = '', name] = path.split('.');
  if (name !== undefined) return membersOf(group);
  return [...new Set(KNOWN.map((known) => known.split('.')[0]))].join(', ');
}
