/** What a deploy will find in an AWS account: the doctor's view of it. */
export interface Account {
  /** @throws AccountError `no-region` */
  region(): Promise<string>;
  /** Whose credentials these are. */
  identity(): Promise<{ readonly account: string; readonly arn: string }>;
  /** Version of CDK's bootstrap in this region; undefined where there is none. */
  bootstrapVersion(): Promise<number | undefined>;
  /** How many instances of a type endpoints may have; undefined where AWS knows no such quota. */
  endpointQuota(instanceType: string): Promise<Quota | undefined>;
  /** Whether a stack of this name has been deployed: then the names are its own. */
  isDeployed(stackName: string): Promise<boolean>;
  hasLogGroup(name: string): Promise<boolean>;
  hasComponent(name: string): Promise<boolean>;
}

/** The same of EC2, whose instances the other backend keeps. */
export interface InstanceAccount {
  /** How many vCPUs of GPU instances may run; undefined where AWS does not say. */
  gpuQuota(): Promise<Quota | undefined>;
  /** What an instance of this type has; undefined where the region has no such type. */
  vcpus(instanceType: string): Promise<number | undefined>;
  /** Names of the region's zones that have this type. */
  zonesWith(instanceType: string): Promise<readonly string[]>;
  /** Names of the region's zones, in the order in which a deploy takes them. */
  zones(): Promise<readonly string[]>;
  /** The machine image that a deploy takes: AWS's newest. */
  recommendedImage(): Promise<string | undefined>;
  /** Machine images of the instances that a stack has now. */
  imagesOf(stackName: string): Promise<readonly string[]>;
}

export interface Quota {
  readonly code: string;
  readonly value: number;
}

/**
 * Why AWS did not answer:
 *
 * - `no-region`, `no-credentials`: none are set up here
 * - `bad-credentials`: AWS does not know them, or no longer
 * - `denied`: these credentials may not ask that
 * - `unreachable`: anything else
 */
export type AccountFault = 'no-region' | 'no-credentials' | 'bad-credentials' | 'denied' | 'unreachable';

export class AccountError extends Error {
  override readonly name = 'AccountError';
  readonly fault: AccountFault;
  /** The API's own name of what was asked, as policies have it. */
  readonly action: string;

  constructor(fault: AccountFault, action: string, message: string, cause: unknown) {
    super(message, { cause });
    this.fault = fault;
    this.action = action;
  }
}
