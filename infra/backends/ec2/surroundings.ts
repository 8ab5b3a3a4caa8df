import type { Grant, IGrantable } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';

type Environment = Readonly<Record<string, string>>;

/** What a backend that pulls needs of the rest: rooms above this one have it, and hand it in. */
export interface Surroundings {
  readonly results: {
    readonly environment: Environment;
    grantPredictions(grantee: IGrantable & Construct): Grant;
    grantWakeLog(grantee: IGrantable): Grant;
    grantWorkerState(grantee: IGrantable): Grant;
    grantReadWorkerState(grantee: IGrantable): Grant;
  };
  /** Of webhooks, and of watches over predictions. */
  readonly queue: {
    readonly environment: Environment;
    grantSend(grantee: IGrantable): Grant;
  };
  /** How functions name themselves in logs and metrics. */
  readonly telemetry: Environment;
}
