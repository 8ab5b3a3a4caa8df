import { type CfnElement, Stack, Validations } from 'aws-cdk-lib';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { IConstruct } from 'constructs';

/** Says why findings of cdk-nag are no fault of this construct: reasons by rule, or by `rule[finding]`. */
export function acknowledge(scope: IConstruct, reasons: Readonly<Record<string, string>>): void {
  for (const [id, reason] of Object.entries(reasons)) Validations.of(scope).acknowledge({ id, reason });
}

/** cdk-nag's name of the finding that a policy allows every object that fits a pattern. */
export function anyObject(bucket: Bucket, pattern: string): string {
  const id = Stack.of(bucket).getLogicalId(bucket.node.defaultChild as CfnElement);
  return `AwsSolutions-IAM5[Resource::<${id}.Arn>/${pattern}]`;
}
