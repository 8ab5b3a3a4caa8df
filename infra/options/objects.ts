import { type SecretValue, Token } from 'aws-cdk-lib';
import type { ISecurityGroup, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { CustomDomain } from './props/common-props.js';

/** Props that hold an object of CDK, which no option can name, by their paths. */
export interface ObjectProps {
  readonly 'api.keyValue'?: SecretValue;
  readonly 'api.customDomain'?: CustomDomain;
  readonly 'alarms.topic'?: ITopic;
  readonly 'network.vpc'?: IVpc;
  readonly 'network.subnets'?: SubnetSelection;
  readonly 'network.securityGroups'?: readonly ISecurityGroup[];
}

type Rule = readonly [fits: (value: unknown) => boolean, error: string];

const DOMAIN_NAME = /^([a-z0-9](-?[a-z0-9])*\.)+[a-z]{2,}$/;
const BASE_PATH = /^[\w.-]{1,300}$/;

/** By what they can do: an app may have a CDK of its own beside this one's. */
const RULES: Readonly<Record<keyof ObjectProps, Rule>> = {
  'api.keyValue': [has('unsafeUnwrap'), 'must be a SecretValue: a text would stand in the template'],
  'api.customDomain': [has(), 'must be an object with domainName and certificate'],
  'alarms.topic': [has('topicArn'), 'must be a topic of SNS'],
  'network.vpc': [has('vpcId', 'selectSubnets'), 'must be a VPC'],
  'network.subnets': [has(), 'must be a selection of subnets'],
  'network.securityGroups': [
    (value) => Array.isArray(value) && value.length > 0 && value.every(has('securityGroupId')),
    'must be an array of security groups',
  ],
};
const DOMAIN_RULES: Readonly<Record<keyof CustomDomain, Rule>> = {
  domainName: [isText(DOMAIN_NAME), 'must be a name such as pictures.example.com'],
  certificate: [has('certificateArn'), 'must be a certificate for domainName'],
  basePath: [isText(BASE_PATH), 'must be letters, digits, dots, dashes and underscores'],
  hostedZone: [has('hostedZoneId'), 'must be a hosted zone of Route 53'],
};

export const OBJECT_PATHS = Object.keys(RULES) as readonly (keyof ObjectProps)[];

/** @param given options that stand beside them */
export function objectProblems(objects: ObjectProps, given: object): string[] {
  const problems = OBJECT_PATHS.flatMap((path) => broken(path, objects[path], RULES[path]));
  const { 'api.customDomain': domain, 'network.vpc': vpc } = objects;
  if (domain && problems.length === 0) problems.push(...domainProblems(domain));
  const [ids, selections] = [
    ['vpcId', 'subnetIds', 'securityGroupIds'].filter((option) => option in given),
    (['network.subnets', 'network.securityGroups'] as const).filter((path) => path in objects),
  ];
  if (vpc) for (const option of ids) problems.push(`network.${option}: network.vpc says which`);
  else for (const path of selections) problems.push(`${path}: says nothing without network.vpc`);
  if ('network.securityGroups' in objects && 'backend' in given && given.backend === 'ec2')
    problems.push('network.securityGroups: is an option of backend sagemaker, and this is ec2');
  return problems;
}

function domainProblems(domain: CustomDomain): string[] {
  const unknown = Object.keys(domain).filter((name) => !(name in DOMAIN_RULES));
  const required = ['domainName', 'certificate'] as const;
  return [
    ...unknown.map((name) => `api.customDomain.${name}: is no prop; there are ${Object.keys(DOMAIN_RULES)}`),
    ...required
      .filter((name) => domain[name] === undefined)
      .map((name) => `api.customDomain.${name}: ${DOMAIN_RULES[name][1]}`),
    ...(Object.keys(DOMAIN_RULES) as (keyof CustomDomain)[]).flatMap((name) =>
      broken(`api.customDomain.${name}`, domain[name], DOMAIN_RULES[name]),
    ),
  ];
}

function broken(path: string, value: unknown, [fits, error]: Rule): string[] {
  return value === undefined || fits(value) ? [] : [`${path}: ${error}`];
}

function has(...members: readonly string[]): (value: unknown) => boolean {
  return (value) => typeof value === 'object' && value !== null && members.every((member) => member in value);
}

function isText(pattern: RegExp): (value: unknown) => boolean {
  return (value) => typeof value === 'string' && (Token.isUnresolved(value) || pattern.test(value));
}
