import { ApiKey, type UsagePlan } from 'aws-cdk-lib/aws-apigateway';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { acknowledge } from '../basics/acknowledge.js';

/** Letters and digits; the gateway takes 20 to 128. */
const LENGTH = 40;

export interface CallersKeyProps {
  readonly plan: UsagePlan;
}

/** An API key whose value Secrets Manager makes: CloudFormation hands it to the gateway, the template names only where it is. */
export class CallersKey extends Construct {
  readonly secret: Secret;

  constructor(scope: Construct, id: string, { plan }: CallersKeyProps) {
    super(scope, id);
    this.secret = new Secret(this, 'Secret', {
      description: "API key of the app's own callers",
      generateSecretString: { passwordLength: LENGTH, excludePunctuation: true },
    });
    acknowledge(this.secret, {
      'AwsSolutions-SMG4':
        'The gateway has a copy that only a deploy changes: a secret that rotates by itself would lock the callers out.',
    });
    const key = new ApiKey(this, 'Key', { value: this.secret.secretValue.unsafeUnwrap() });
    plan.addApiKey(key);
  }
}
