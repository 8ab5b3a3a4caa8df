import { type IVpc, Peer, Port, SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';

export interface ClosedGroupProps {
  readonly vpc: IVpc;
  /** Whose it is. */
  readonly of: string;
  /** What they ask. */
  readonly outwards: string;
}

/** Lets nobody in, and HTTPS out; names, time and the metadata service are reached past security groups. */
export function closedGroup(scope: Construct, { vpc, of, outwards }: ClosedGroupProps): SecurityGroup {
  const group = new SecurityGroup(scope, 'Group', {
    vpc,
    description: `Of the ${of} that draw: nobody comes in, HTTPS goes out`,
    allowAllOutbound: false,
  });
  group.addEgressRule(Peer.anyIpv4(), Port.tcp(443), outwards);
  return group;
}
