import type { IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import type { CommonProps } from './common-props.js';

/** Instances of one's own that are kept stopped: awake within a minute or so, billed by the second. */
export interface Ec2Props extends CommonProps {
  readonly backend: 'ec2';
  /** What pictures are drawn on. @default one g4dn.xlarge, in a zone of the region's own choice */
  readonly instances?: Ec2Instances;
  /** When it sleeps. @default after a minute without work */
  readonly sleep?: Ec2Sleep;
  /** Where the instances stand. @default a VPC of their own, which costs nothing */
  readonly network?: Ec2Network;
}

export interface Ec2Instances {
  /** With an NVIDIA GPU of a family from g4dn on; about $0.526 an hour for the default. @default 'g4dn.xlarge' */
  readonly type?: string;
  /**
   * Four at most: taken in this order where there is none of `type` to be had; each needs its quota.
   * @default g4dn.2xlarge, g5.xlarge, g6.xlarge
   */
  readonly fallbackTypes?: readonly string[];
  /** How many, each in a zone of its own, or the zones by name; one draws, the second is for a zone without room. @default 1 */
  readonly zones?: 1 | 2 | readonly string[];
  /** Of an instance's disk: gigabytes, 30 to 1000, for $0.08 a month each. @default 30 */
  readonly diskGb?: number;
  /** What an instance starts from: `ami-...`, or `recommended`, AWS's newest at each deploy. @default 'recommended' */
  readonly machineImage?: string;
  /**
   * Any word of up to 20 letters, digits and dashes. Another one than at the last deploy makes the instances anew, whatever
   * else is the same: for one that was terminated by hand, or is broken. @default none
   */
  readonly generation?: string;
  /** Whether Session Manager may open a shell on an instance. @default false */
  readonly sessionManager?: boolean;
}

export interface Ec2Sleep {
  /** Seconds without work before the instance powers off: 10 to 21600. @default 60 */
  readonly idleSeconds?: number;
}

/** A network that is there, as an object or by its ids. Its subnets must reach AWS's services: by a public address, or a NAT. */
export interface Ec2Network {
  /** @default a VPC of its own */
  readonly vpc?: IVpc;
  /** Of `vpc`; as many of them as `instances.zones` says are taken. @default public subnets, and where there are none those with a NAT */
  readonly subnets?: SubnetSelection;
  /** Instead of `vpc`, with `subnetIds`. @default none */
  readonly vpcId?: string;
  /** With `vpcId`: one for each instance, two at most. @default none */
  readonly subnetIds?: readonly string[];
}
