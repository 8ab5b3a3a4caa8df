import { App, CfnOutput, Stack } from 'aws-cdk-lib';
import { SdTurbo } from 'sd-turbo-serverless/cdk';

const stack = new Stack(new App(), 'my-pictures');
const { url, apiKey } = new SdTurbo(stack, 'SdTurbo', { backend: 'sagemaker' });
new CfnOutput(stack, 'Url', { value: url });
new CfnOutput(stack, 'ApiKeyId', { value: apiKey.keyId });
