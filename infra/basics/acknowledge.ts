import { Stack, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** Says why findings of cdk-nag are no fault of this construct: reasons by rule, or by `rule[finding]`. */
export function acknowledge(scope: IConstruct, reasons: Readonly<Record<string, string>>): void {
  for (const [id, reason] of Object.entries(reasons)) Validations.of(scope).acknowledge({ id, reason });
}

/** cdk-nag's name of the finding that a policy allows every resource that fits an ARN with a star. */
export function wildcard(scope: IConstruct, arn: string): string {
  return `AwsSolutions-IAM5[Resource::${flatten(Stack.of(scope).resolve(arn))}]`;
}

/** A template's value as cdk-nag writes it: `<Name>` for a reference, `<Name.Attribute>` for an attribute. */
function flatten(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const { Ref, ...functions } = value as Record<string, unknown>;
  if (Ref) return `<${Ref}>`;
  const { 'Fn::GetAtt': attribute, 'Fn::Join': join } = functions as Record<string, unknown[]>;
  if (attribute) return `<${attribute.join('.')}>`;
  return ((join?.[1] ?? []) as unknown[]).map(flatten).join(String(join?.[0] ?? ''));
}
