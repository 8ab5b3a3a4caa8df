import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { readConfig } from './options/config.js';
import { ServiceStack } from './stack.js';

/** @param root of the repository */
export function synthesize(root: string): void {
  const app = new App();
  const config = readConfig(app.node.getAllContext());
  const bundles = join(root, 'dist/lambda');
  execFileSync(process.execPath, [join(root, 'functions/bundle-lambda.mjs'), '--outdir', bundles], {
    // What an app prints on stdout is the CDK command's own.
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  new ServiceStack(app, config.stackName, {
    config,
    root,
    bundles,
    ...(config.region !== undefined && { env: { region: config.region } }),
    description: 'SD-Turbo text-to-image that sleeps when nobody asks',
  });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app, { verbose: true }));
  app.synth();
}
