import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type CorsRule,
  type LifecycleRule,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.js';

export interface PrivateBucketProps {
  /** Beside the one that ends uploads which nobody finishes. @default none */
  readonly lifecycleRules?: LifecycleRule[];
  /** What pages elsewhere may do with an address that was signed for them. @default nothing */
  readonly cors?: CorsRule[];
  /** Whether the bucket and its objects outlive the stack. @default false */
  readonly keep?: boolean;
}

/** A bucket that only this stack's roles may use, over TLS, encrypted with S3's own keys, which cost nothing. */
export class PrivateBucket extends Construct {
  readonly bucket: Bucket;

  constructor(scope: Construct, id: string, props: PrivateBucketProps) {
    super(scope, id);
    const { lifecycleRules = [], cors, keep = false } = props;
    this.bucket = new Bucket(this, 'Bucket', {
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      lifecycleRules: [{ abortIncompleteMultipartUploadAfter: Duration.days(1) }, ...lifecycleRules],
      ...(cors && { cors }),
      removalPolicy: keep ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    acknowledge(this.bucket, {
      'AwsSolutions-S1':
        'Access logs would be a second bucket with more personal data than this one; the roles that reach it are few and listed.',
    });
  }
}
