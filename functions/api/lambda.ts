import { randomUUID } from 'node:crypto';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { awsServices } from '../shared/aws/aws-services.js';
import { readFunctionConfig } from '../shared/aws/config.js';
import { powertoolsTelemetry } from '../shared/aws/powertools-telemetry.js';
import { ProblemError, problemResponse } from '../shared/problem-response.js';
import { apiApp } from './app.js';
import { gatewayBaseUrl, gatewayCaller } from './gateway-event.js';
import { gatewayRequest, gatewayResult } from './gateway-request.js';

/** The gateway hands on an answer when it is whole, and gives up after 29 s. Milliseconds. */
const STREAM = { limitMs: 25_000, settleMs: 5_000 };

const telemetry = powertoolsTelemetry();
const config = readFunctionConfig();
const app = apiApp({
  services: await awsServices(config, telemetry),
  telemetry,
  caller: (_, env) => gatewayCaller(env),
  baseUrl: (_, env) => gatewayBaseUrl(env),
  decoder: config.defaultDecoder,
  streams: STREAM,
  corsOrigins: config.corsOrigins,
});

/** API Gateway's proxy integration, payload version 1. The gateway has checked the key and the usage plan. */
export async function handler(event: APIGatewayProxyEvent): Promise<APIGatewayProxyResult> {
  try {
    return await gatewayResult(await respond(event));
  } finally {
    telemetry.flush();
  }
}

function respond(event: APIGatewayProxyEvent): Response | Promise<Response> {
  const request = toRequest(event);
  if (request) return app.fetch(request, { event });
  return problemResponse(new ProblemError(400, 'this is no HTTP request'), randomUUID());
}

function toRequest(event: APIGatewayProxyEvent): Request | undefined {
  try {
    return gatewayRequest(event);
  } catch {
    return undefined;
  }
}
