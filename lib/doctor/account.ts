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
