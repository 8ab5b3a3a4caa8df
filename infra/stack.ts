import { Aws, CfnCondition, CfnParameter, Fn, SecretValue, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { SdTurboProps } from './options/props/sd-turbo-props.js';
import { SdTurbo } from './sd-turbo.js';
import { addOutputs } from './service/outputs.js';

export interface ServiceStackProps extends StackProps {
  readonly service: SdTurboProps;
}

/** The service in a stack of its own, with a parameter for its key, and outputs for people. */
export class ServiceStack extends Stack {
  constructor(scope: Construct, id: string, { service, ...props }: ServiceStackProps) {
    super(scope, id, props);
    const api = { ...service.api, keyValue: this.#keyValue() };
    // A `Default` leaves no trace in the logical ids: what has been deployed keeps them.
    addOutputs(this, new SdTurbo(this, 'Default', { ...service, api }));
  }

  /** A value in the configuration would stand in the template. */
  #keyValue(): SecretValue {
    const { logicalId, valueAsString } = new CfnParameter(this, 'ApiKeyValue', {
      type: 'String',
      default: '',
      noEcho: true,
      allowedPattern: '^$|^[A-Za-z0-9_-]{20,128}$',
      constraintDescription: 'must be 20 to 128 letters, digits, dashes or underscores',
      description: 'Value of the API key; a random one if empty',
    });
    const isGiven = new CfnCondition(this, 'IsApiKeyGiven', {
      expression: Fn.conditionNot(Fn.conditionEquals(Fn.ref(logicalId), '')),
    });
    // Plain is only the reference.
    return SecretValue.unsafePlainText(
      Fn.conditionIf(isGiven.logicalId, valueAsString, Aws.NO_VALUE).toString(),
    );
  }
}
