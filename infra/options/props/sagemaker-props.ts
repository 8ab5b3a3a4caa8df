import type { ISecurityGroup, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import type { CommonProps, DrawingProps } from './common-props.js';

/** An endpoint of SageMaker, 0 to N copies: awake within minutes, nothing to look after. */
export interface SageMakerProps extends CommonProps {
  /** @default 'sagemaker' */
  readonly backend?: 'sagemaker';
  /** What pictures are drawn on. @default one ml.g4dn.xlarge at most */
  readonly instances?: SageMakerInstances;
  /** When it sleeps. @default after five minutes without work */
  readonly sleep?: SageMakerSleep;
  /** How pictures are drawn. @default in float16, by CUDA's own kernels, one at a time */
  readonly drawing?: SageMakerDrawing;
  /** What the containers join; it must have a way to S3. @default SageMaker's own network */
  readonly network?: SageMakerNetwork;
}

export interface SageMakerInstances {
  /** With an NVIDIA GPU of a family from ml.g4dn on; about $0.736 an hour for the default. @default 'ml.g4dn.xlarge' */
  readonly type?: string;
  /** Four at most: taken in this order where there is none of `type` to be had; each needs its quota. @default none */
  readonly fallbackTypes?: readonly string[];
  /** Most copies, each on an instance of its own: 1 to 100. During an update one more may come up for some minutes. @default 1 */
  readonly max?: number;
  /** How SageMaker gives instances back, to try. @default 'none', SageMaker's own way */
  readonly scaleInPolicy?: 'none' | 'idle-release' | 'consolidation';
}

export interface SageMakerSleep {
  /** Minutes without work before the last copy goes: 5 to 1380; each sleep pays for that and about 12 minutes more. @default 5 */
  readonly idleMinutes?: number;
  /** Copies that never sleep: 0 to 100; 1 keeps one instance up all the time, about $540 a month. @default 0 */
  readonly minCopies?: number;
  /** Hours in which one copy stays up, as `MON-FRI 08:00-18:00`; costs that many instance hours. @default none */
  readonly warmHours?: string;
  /** Of `warmHours`, as the IANA database names it. @default 'UTC' */
  readonly timeZone?: string;
}

export interface SageMakerDrawing extends DrawingProps {
  /**
   * Requests of which one run of the UNet draws a picture each, while others wait: 1 to 4. For a GPU that one picture does
   * not fill; a T4 should gain nothing. More than 1 takes 3.3 GB more of its memory, and a seed's picture may differ by a
   * level from the one that is drawn alone. @default 1
   */
  readonly maxBatchSize?: number;
}

/** A network that is there, as an object or by its ids. */
export interface SageMakerNetwork {
  /** @default none */
  readonly vpc?: IVpc;
  /** Of `vpc`. @default those with a NAT */
  readonly subnets?: SubnetSelection;
  /** With `vpc`. @default one of its own, which lets nobody in and HTTPS out */
  readonly securityGroups?: readonly ISecurityGroup[];
  /** Instead of `vpc`, with `securityGroupIds`. @default none */
  readonly subnetIds?: readonly string[];
  /** With `subnetIds`. @default none */
  readonly securityGroupIds?: readonly string[];
}
