import { CustomResource, Duration, Stack } from 'aws-cdk-lib';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { FunctionBasics } from '../basics/function-settings.js';
import { NodeFunction } from '../basics/node-function.js';

export interface WebhookSecretProps {
  /** Of the SSM parameter. */
  readonly name: string;
  readonly basics: FunctionBasics;
}

/**
 * What webhooks are signed with: a random SecureString, made once at the first deploy. CloudFormation cannot make one,
 * so a function does; the value is in no template, output or environment. Secrets Manager would ask $0.40 a month.
 */
export class WebhookSecret extends Construct {
  /** What a function needs to know of it. */
  readonly environment: Readonly<Record<string, string>>;
  readonly #arn: string;
  readonly #resource: CustomResource;

  constructor(scope: Construct, id: string, { name, basics }: WebhookSecretProps) {
    super(scope, id);
    this.#arn = Stack.of(this).formatArn({
      service: 'ssm',
      resource: 'parameter',
      resourceName: name.slice(1),
    });
    const maker = new NodeFunction(this, 'Maker', {
      ...basics,
      description: 'Makes the secret of the webhooks when the stack is made, deletes it with the stack',
      bundle: 'webhook-secret',
      timeout: Duration.seconds(30),
      memory: 256,
    });
    this.#grant(maker, 'ssm:PutParameter', 'ssm:DeleteParameter');
    this.#resource = new CustomResource(this, 'Secret', {
      resourceType: 'Custom::WebhookSecret',
      serviceToken: maker.function.functionArn,
      serviceTimeout: Duration.minutes(2),
      properties: { Name: name },
    });
    this.#resource.node.addDependency(maker);
    this.environment = { WEBHOOK_SECRET_PARAMETER: name };
  }

  /** The key is aws/ssm, whose own policy lets everybody decrypt who may read the parameter. */
  grantRead(grantee: IGrantable & Construct): Grant {
    grantee.node.addDependency(this.#resource);
    return this.#grant(grantee, 'ssm:GetParameter');
  }

  #grant(grantee: IGrantable, ...actions: string[]): Grant {
    return Grant.addToPrincipal({ grantee, actions, resourceArns: [this.#arn] });
  }
}
