import { App, CfnOutput, Stack } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { SdTurbo } from 'sd-turbo-serverless/cdk';

// An app of somebody who has the package: two services of different backends in one stack. Compiled and synthesised by
// cdk.test.ts, as CommonJS, which is what `cdk init` begins with.

const app = new App();
const stack = new Stack(app, 'gallery');
const services = {
  Endpoint: new SdTurbo(stack, 'Endpoint', { api: { dailyQuota: 100 }, sleep: { idleMinutes: 10 } }),
  Instances: new SdTurbo(stack, 'Instances', { backend: 'ec2', instances: { zones: 2 } }),
};
for (const [name, { url }] of Object.entries(services)) new CfnOutput(stack, `${name}Url`, { value: url });
app.synth();
// For the test, which wants to see that something was looked at.
const { success, violations } = new AwsSolutionsChecks(app).validateScope(app);
console.log(JSON.stringify({ success, violations }));
