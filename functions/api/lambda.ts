import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from 'aws-lambda';
import { handle } from 'hono/aws-lambda';
import { awsServices } from '../shared/aws/aws-services.js';
import { readFunctionConfig } from '../shared/aws/config.js';
import { powertoolsTelemetry } from '../shared/aws/powertools-telemetry.js';
import { apiApp } from './app.js';
import { gatewayBaseUrl, gatewayCaller } from './gateway-event.js';

const telemetry = powertoolsTelemetry();
const app = apiApp({
  services: awsServices(readFunctionConfig(), telemetry),
  telemetry,
  caller: (_, env) => gatewayCaller(env),
  baseUrl: (_, env) => gatewayBaseUrl(env),
});
const respond = handle(app);

/** API Gateway's proxy integration, payload version 1. The gateway has checked the key and the usage plan. */
export async function handler(event: APIGatewayProxyEvent, context: Context): Promise<APIGatewayProxyResult> {
  try {
    return (await respond(event as never, context as never)) as APIGatewayProxyResult;
  } finally {
    telemetry.flush();
  }
}
