import { type Config, checkOptions } from './config.js';
import { fromProps, pathOf } from './paths.js';
import type { CommonProps, CustomDomain } from './props/common-props.js';
import type { Ec2Network } from './props/ec2-props.js';
import type { SageMakerNetwork } from './props/sagemaker-props.js';
import type { SdTurboProps } from './props/sd-turbo-props.js';

/** Props once they have been checked. */
export interface CheckedProps {
  /** What the command line has options for, defaults included. */
  readonly config: Config;
  /** What only a program can give. */
  readonly objects: ObjectProps;
}

/** Props that hold objects of CDK. */
export interface ObjectProps
  extends Pick<Ec2Network & SageMakerNetwork, 'vpc' | 'subnets' | 'securityGroups'> {
  readonly keyValue?: NonNullable<CommonProps['api']>['keyValue'];
  readonly customDomain?: CustomDomain;
  readonly topic?: NonNullable<CommonProps['alarms']>['topic'];
}

const DOMAIN_NAME = /^([a-z0-9](-?[a-z0-9])*\.)+[a-z]{2,}$/;
const BASE_PATH = /^[\w.-]{1,300}$/;

/**
 * @param owner path of the construct that they are of
 * @param name of the service, where the props give none
 * @throws Error with a line for each prop that is unknown or wrong
 */
export function readProps(props: SdTurboProps, owner: string, name: string): CheckedProps {
  const { given, problems: misnamed } = fromProps(props);
  const { config, problems = [] } = checkOptions({ stackName: name, ...given }, pathOf);
  const objects = objectsOf(props);
  const all = [...misnamed, ...problems, ...objectProblems(objects, given)];
  if (config === undefined || all.length > 0)
    throw new Error(`wrong props of SdTurbo ${owner}:\n  ${all.join('\n  ')}`);
  return { config, objects };
}

function objectsOf({ api = {}, alarms = {}, network = {} }: SdTurboProps): ObjectProps {
  const { keyValue, customDomain } = api;
  const { vpc, subnets, securityGroups }: Ec2Network & SageMakerNetwork = network;
  const objects = { keyValue, customDomain, topic: alarms.topic, vpc, subnets, securityGroups };
  return Object.fromEntries(Object.entries(objects).filter(([, value]) => value !== undefined));
}

function objectProblems(objects: ObjectProps, given: Readonly<Record<string, unknown>>): string[] {
  const { vpc, subnets, securityGroups, customDomain } = objects;
  const problems = customDomain ? domainProblems(customDomain) : [];
  for (const option of ['vpcId', 'subnetIds', 'securityGroupIds'])
    if (vpc && option in given) problems.push(`${pathOf(option)}: network.vpc says which`);
  if (subnets && !vpc) problems.push('network.subnets: says nothing without network.vpc');
  if (securityGroups && !vpc) problems.push('network.securityGroups: says nothing without network.vpc');
  if (securityGroups && given['backend'] === 'ec2')
    problems.push('network.securityGroups: is an option of backend sagemaker, and this is ec2');
  return problems;
}

function domainProblems({ domainName, certificate, basePath, ...rest }: CustomDomain): string[] {
  const problems: string[] = [];
  const { hostedZone: _, ...unknown } = rest;
  for (const name of Object.keys(unknown)) problems.push(`api.customDomain.${name}: is no prop`);
  if (typeof domainName !== 'string' || !DOMAIN_NAME.test(domainName))
    problems.push('api.customDomain.domainName: must be a name such as pictures.example.com');
  if (typeof certificate !== 'object')
    problems.push('api.customDomain.certificate: must be a certificate for domainName');
  if (basePath !== undefined && !BASE_PATH.test(basePath))
    problems.push('api.customDomain.basePath: must be letters, digits, dots, dashes and underscores');
  return problems;
}
