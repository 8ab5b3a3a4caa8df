import { CfnOutput, type Stack } from 'aws-cdk-lib';
import type { IApiKey } from 'aws-cdk-lib/aws-apigateway';

export interface OutputsProps {
  readonly url: string;
  readonly apiKey: IApiKey;
  readonly dashboardUrl: string;
  /** @default no instances */
  readonly machineImage?: string;
}

/** What a person needs after the deploy. */
export function addOutputs(stack: Stack, { url, apiKey, dashboardUrl, machineImage }: OutputsProps): void {
  const { keyId } = apiKey;
  const outputs = {
    Url: url,
    ApiKeyId: keyId,
    ApiKeyCommand:
      `aws apigateway get-api-key --api-key ${keyId} --include-value --query value ` +
      `--output text --region ${stack.region}`,
    Curl:
      `curl ${url}/predict -H "x-api-key: $API_KEY" -H 'content-type: application/json' ` +
      `-d '{"prompt": "A tree in a field under the night sky"}'`,
    DashboardUrl: dashboardUrl,
    ...(machineImage !== undefined && { MachineImage: machineImage }),
  };
  for (const [name, value] of Object.entries(outputs)) new CfnOutput(stack, name, { value });
}
