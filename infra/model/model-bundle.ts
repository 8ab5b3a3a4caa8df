import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import type { IDependable } from 'constructs';

/** A bundle in S3, wherever it comes from. */
export interface ModelBundle {
  /** `s3://bucket/prefix` */
  readonly uri: string;
  /** What must be there before anybody reads it. */
  readonly ready: IDependable;
  /** Why cdk-nag's findings about the grant are none, by finding. */
  readonly readReasons: Readonly<Record<string, string>>;
  grantRead(grantee: IGrantable): void;
  /** Write what the self-test's picture looks like, where the import has drawn none: one object, and no other. */
  grantRecord(grantee: IGrantable): void;
}
