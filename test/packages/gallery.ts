import { App, CfnOutput, Stack } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { AwsSolutionsChecks } from 'cdk-nag';
import { SdTurbo } from 'sd-turbo-serverless/cdk';

// An app of somebody who has the package: two services of different backends in one stack. Compiled and synthesised by
// cdk.test.ts, as CommonJS, which is what `cdk init` begins with.

const app = new App();
const stack = new Stack(app, 'gallery');
const pictures = new SdTurbo(stack, 'Endpoint', { api: { dailyQuota: 100 }, sleep: { idleMinutes: 10 } });
const others = new SdTurbo(stack, 'Instances', { backend: 'ec2', instances: { zones: 2 } });
const caller = new Role(stack, 'Caller', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
// A function of the app, say: it reads the secret `pictures.callersKey`, and sends its value as `x-api-key`.
pictures.grantPredict(caller);
new CfnOutput(stack, 'Dashboard', { value: pictures.dashboardUrl });
pictures.metricRequests('failed').createAlarm(stack, 'Failed', { threshold: 1, evaluationPeriods: 1 });
others.grantPredict(caller);
app.synth();
// For the test, which wants to see that something was looked at.
const { success, violations } = new AwsSolutionsChecks(app).validateScope(app);
console.log(JSON.stringify({ success, violations }));
