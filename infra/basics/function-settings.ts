import type { RetentionDays } from 'aws-cdk-lib/aws-logs';

/** What all functions have in common. */
export interface FunctionBasics {
  /** Folder of bundles, one folder in it for each function. */
  readonly bundles: string;
  readonly logDays: RetentionDays;
}

/** What the functions that work on predictions have in common. */
export interface FunctionSettings extends FunctionBasics {
  readonly environment: Readonly<Record<string, string>>;
}
