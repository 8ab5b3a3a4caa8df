import type { RetentionDays } from 'aws-cdk-lib/aws-logs';

/** What the API's, the worker's and the dead letters' functions have in common. */
export interface FunctionSettings {
  readonly bundles: string;
  readonly logDays: RetentionDays;
  readonly environment: Readonly<Record<string, string>>;
}
