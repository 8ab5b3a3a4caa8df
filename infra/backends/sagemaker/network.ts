import { Stack } from 'aws-cdk-lib';
import { type ISecurityGroup, type IVpc, type SubnetSelection, SubnetType } from 'aws-cdk-lib/aws-ec2';
import { Effect, PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { acknowledge, wildcard } from '../../basics/acknowledge.js';
import { closedGroup } from '../../basics/closed-group.js';

/** A VPC's part that the endpoint's containers join. It must have a way to S3. */
export interface Network {
  readonly subnetIds: readonly string[];
  readonly securityGroupIds: readonly string[];
}

/** The same, as objects. */
export interface VpcNetwork {
  readonly vpc: IVpc;
  /** @default those with a NAT: what SageMaker puts into a public one has no address */
  readonly subnets?: SubnetSelection;
  /** @default one that lets nobody in and HTTPS out */
  readonly securityGroups?: readonly ISecurityGroup[];
}

export function networkIn(scope: Construct, { vpc, subnets, securityGroups }: VpcNetwork): Network {
  const selection = subnets ?? { subnetType: SubnetType.PRIVATE_WITH_EGRESS };
  const groups = securityGroups ?? [
    closedGroup(scope, { vpc, of: 'containers', outwards: 'S3 and other AWS services' }),
  ];
  return {
    subnetIds: vpc.selectSubnets(selection).subnetIds,
    securityGroupIds: groups.map(({ securityGroupId }) => securityGroupId),
  };
}

/** What SageMaker does in the role's name to put containers into a VPC. Source: "SageMaker AI roles", VPC settings. */
export function joinNetwork(role: Role, { subnetIds, securityGroupIds }: Network): void {
  const stack = Stack.of(role);
  const arn = (resource: string, resourceName: string) =>
    stack.formatArn({ service: 'ec2', resource, resourceName });
  const interfaces = arn('network-interface', '*');
  acknowledge(role, {
    [wildcard(role, interfaces)]: 'SageMaker makes the network interfaces and names them.',
  });
  const places = [
    ...subnetIds.map((id) => arn('subnet', id)),
    ...securityGroupIds.map((id) => arn('security-group', id)),
  ];
  const allow = (actions: string[], resources: string[]) =>
    role.addToPolicy(new PolicyStatement({ effect: Effect.ALLOW, actions, resources }));
  allow(['ec2:CreateNetworkInterface'], [interfaces, ...places]);
  allow(
    [
      'ec2:CreateNetworkInterfacePermission',
      'ec2:DeleteNetworkInterface',
      'ec2:DeleteNetworkInterfacePermission',
    ],
    [interfaces],
  );
  allow(
    [
      'ec2:DescribeDhcpOptions',
      'ec2:DescribeNetworkInterfaces',
      'ec2:DescribeSecurityGroups',
      'ec2:DescribeSubnets',
      'ec2:DescribeVpcs',
    ],
    ['*'],
  );
}
