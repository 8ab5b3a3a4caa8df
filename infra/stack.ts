import { Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { addOutputs } from './service/outputs.js';
import { Service, type ServiceProps } from './service/service.js';

/** The service in a stack of its own. */
export class ServiceStack extends Stack {
  constructor(scope: Construct, id: string, { config, root, bundles, ...props }: ServiceProps & StackProps) {
    super(scope, id, props);
    // A `Default` leaves no trace in the logical ids: what has been deployed keeps them.
    const { api, dashboard } = new Service(this, 'Default', { config, root, bundles });
    addOutputs(this, api, dashboard);
    // CDK itself writes dependencies that references imply.
    this.templateOptions.metadata = { 'cfn-lint': { config: { ignore_checks: ['W3005'] } } };
  }
}
