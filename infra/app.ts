import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { givenOptions, readConfig } from './options/config.js';
import { toProps } from './options/paths.js';
import { ServiceStack } from './stack.js';

/** The app of this repository: one service, as the options of the command line want it. */
export function synthesize(): void {
  const app = new App();
  const context = app.node.getAllContext();
  const { stackName, region } = readConfig(context);
  new ServiceStack(app, stackName, {
    service: toProps(givenOptions(context)),
    ...(region !== undefined && { env: { region } }),
    description: 'SD-Turbo text-to-image that sleeps when nobody asks',
  });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app, { verbose: true }));
  app.synth();
}
