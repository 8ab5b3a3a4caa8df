import { CfnOutput, type Stack } from 'aws-cdk-lib';
import type { Api } from '../api/api.js';
import type { Dashboard } from '../watch/dashboard.js';

/** What a person needs after the deploy. */
export function addOutputs(stack: Stack, api: Api, dashboard: Dashboard): void {
  const outputs = {
    Url: api.url,
    ApiKeyId: api.key.keyId,
    ApiKeyCommand:
      `aws apigateway get-api-key --api-key ${api.key.keyId} --include-value --query value ` +
      `--output text --region ${stack.region}`,
    Curl:
      `curl ${api.url}/predict -H "x-api-key: $API_KEY" -H 'content-type: application/json' ` +
      `-d '{"prompt": "A tree in a field under the night sky"}'`,
    DashboardUrl: dashboard.url,
  };
  for (const [name, value] of Object.entries(outputs)) new CfnOutput(stack, name, { value });
}
