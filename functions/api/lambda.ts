import { randomUUID } from 'node:crypto';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { awsServices } from '../shared/aws/aws-services.js';
import { readFunctionConfig } from '../shared/aws/config.js';
import { powertoolsTelemetry } from '../shared/aws/powertools-telemetry.js';
import { ProblemError, problemResponse } from '../shared/problem-response.js';
import type { ApiProps } from './api-props.js';
import { apiApp } from './app.js';
import { errorResponse } from './error-response.js';
import { gatewayBaseUrl, gatewayCaller } from './gateway-event.js';
import { gatewayRequest, gatewayResult } from './gateway-request.js';

/** The gateway hands on an answer when it is whole, and gives up after 29 s. Milliseconds. */
const STREAM = { limitMs: 25_000, settleMs: 5_000 };

const telemetry = powertoolsTelemetry();
const config = readFunctionConfig();
const props: ApiProps = {
  services: await awsServices(config, telemetry),
  telemetry,
  caller: (_, env) => gatewayCaller(env),
  baseUrl: (_, env) => gatewayBaseUrl(env),
  decoder: config.defaultDecoder,
  streams: STREAM,
  corsOrigins: config.corsOrigins,
};
const app = apiApp(props);

/** Lambda takes 6 MiB as JSON; what is around the body, and backslashes before its quotes, has room in the rest. Characters. */
const MAX_BODY = 6_000_000;

/** API Gateway's proxy integration, payload version 1. The gateway has checked the key and the usage plan. */
export async function handler(event: APIGatewayProxyEvent): Promise<APIGatewayProxyResult> {
  try {
    const response = await respond(event);
    const result = await gatewayResult(response);
    return result.body.length > MAX_BODY ? await refuseTooLong(event, response) : result;
  } finally {
    telemetry.flush();
  }
}

function respond(event: APIGatewayProxyEvent): Response | Promise<Response> {
  const request = toRequest(event);
  if (request) return app.fetch(request, { event });
  return problemResponse(new ProblemError(400, 'this is no HTTP request'), randomUUID());
}

/** The gateway would call it an internal error. */
async function refuseTooLong({ path }: APIGatewayProxyEvent, { headers }: Response) {
  const words =
    'the pictures are more than the 6 MB that AWS hands on: ask for their addresses (response_format: url), for fewer, or ' +
    'for output_format jpeg or webp';
  const id = headers.get('x-request-id') ?? randomUUID();
  telemetry.log('warn', 'an answer was too long for Lambda', { request_id: id });
  return gatewayResult(await errorResponse(new ProblemError(422, words), path, id, props));
}

function toRequest(event: APIGatewayProxyEvent): Request | undefined {
  try {
    return gatewayRequest(event);
  } catch {
    return undefined;
  }
}
