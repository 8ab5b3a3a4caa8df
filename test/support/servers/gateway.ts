import type { APIGatewayAuthorizerResult, APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { BINARY_MEDIA_TYPES } from '../../../infra/api/api-routes.js';

/** Of one event of a Lambda function, or one answer, as JSON. Bytes. */
export const MAX_PAYLOAD = 6 * 1024 * 1024;
const STAGE = '/prod';
/** The paths that need no key. */
const OPEN = /^\/(health|docs|openapi\.json|favicon\.ico)?$/;

export interface GatewayProps {
  readonly api: (event: APIGatewayProxyEvent) => Promise<APIGatewayProxyResult>;
  readonly authorizer: (event: unknown) => Promise<APIGatewayAuthorizerResult>;
  /** The ids of the usage plan's keys, by key. */
  readonly keys: ReadonlyMap<string, string>;
  /** @default the stack's own */
  readonly binaryMediaTypes?: readonly string[];
}

/** API Gateway's REST API before the functions, from `Request` to `Response`: payload version 1, stage `prod`. */
export function gateway(props: GatewayProps): (request: Request) => Promise<Response> {
  const { binaryMediaTypes } = props;
  return async (request) => {
    const event = await toEvent(request, binaryMediaTypes);
    if (!OPEN.test(event.path)) {
      const apiKeyId = await identify(event, props).catch(() => undefined);
      if (apiKeyId === undefined) return Response.json({ message: 'Forbidden' }, { status: 403 });
      event.requestContext.identity.apiKeyId = apiKeyId;
    }
    if (Buffer.byteLength(JSON.stringify(event)) > MAX_PAYLOAD) {
      return Response.json({ message: 'Request Too Long' }, { status: 413 });
    }
    return toResponse(await props.api(event), request.headers.get('accept'), binaryMediaTypes);
  };
}

/** The event that the gateway makes of a request: its body is base64 where its content type is binary. */
export async function toEvent(
  request: Request,
  binaryMediaTypes: readonly string[] = BINARY_MEDIA_TYPES,
): Promise<APIGatewayProxyEvent> {
  const base64 = isBinary(request.headers.get('content-type'), binaryMediaTypes);
  const { pathname, host, searchParams } = new URL(request.url);
  const path = pathname.startsWith(`${STAGE}/`) ? pathname.slice(STAGE.length) : pathname;
  const headers = [...request.headers, ['Host', host] as const].map(([k, v]) => [titleCase(k), v] as const);
  const query = [...new Set(searchParams.keys())].map((name) => [name, searchParams.getAll(name)] as const);
  const body = Buffer.from(await request.arrayBuffer());
  return {
    resource: '/{proxy+}',
    path,
    httpMethod: request.method,
    headers: Object.fromEntries(headers),
    multiValueHeaders: Object.fromEntries(headers.map(([name, value]) => [name, [value]])),
    queryStringParameters: query.length
      ? Object.fromEntries(query.map(([k, v]) => [k, v.at(-1) as string]))
      : null,
    multiValueQueryStringParameters: query.length ? Object.fromEntries(query) : null,
    pathParameters: { proxy: path.slice(1) },
    stageVariables: null,
    requestContext: requestContext(host, path, request.method),
    body: body.length > 0 ? body.toString(base64 ? 'base64' : 'utf8') : null,
    isBase64Encoded: base64 && body.length > 0,
  };
}

function requestContext(domainName: string, path: string, httpMethod: string) {
  const context = {
    accountId: '123456789012',
    apiId: 'abc123',
    authorizer: { principalId: 'key' },
    domainName,
    domainPrefix: 'abc123',
    httpMethod,
    identity: { apiKey: null, apiKeyId: null, sourceIp: '192.0.2.1', userAgent: null },
    path: STAGE + path,
    protocol: 'HTTP/1.1',
    requestId: 'gateway-request-id',
    requestTimeEpoch: Date.now(),
    resourceId: 'resource',
    resourcePath: '/{proxy+}',
    stage: STAGE.slice(1),
  };
  return context as unknown as APIGatewayProxyEvent['requestContext'];
}

async function identify(event: APIGatewayProxyEvent, { authorizer, keys }: GatewayProps) {
  const { httpMethod, path, headers, multiValueHeaders, requestContext } = event;
  const methodArn = `arn:aws:execute-api:us-east-1:123456789012:abc123/prod/${httpMethod}${path}`;
  const asked = { type: 'REQUEST', methodArn, httpMethod, path, headers, multiValueHeaders, requestContext };
  return keys.get((await authorizer(asked)).usageIdentifierKey ?? '');
}

/**
 * The answer that the gateway makes of a function's result: base64 is decoded where the first type of `Accept` is binary.
 * Source: API Gateway's guide, "Return binary media from a Lambda proxy integration".
 */
export function toResponse(
  result: APIGatewayProxyResult,
  accept: string | null,
  binaryMediaTypes: readonly string[] = BINARY_MEDIA_TYPES,
): Response {
  if (Buffer.byteLength(JSON.stringify(result)) > MAX_PAYLOAD) {
    return Response.json({ message: 'Internal server error' }, { status: 502 });
  }
  const { statusCode, body, isBase64Encoded, headers = {}, multiValueHeaders = {} } = result;
  const all = new Headers();
  for (const [name, value] of Object.entries(headers)) all.set(name, String(value));
  for (const [name, values] of Object.entries(multiValueHeaders))
    for (const value of values) all.append(name, String(value));
  const decoded = isBase64Encoded && isBinary(accept, binaryMediaTypes);
  const bytes = decoded ? Buffer.from(body, 'base64') : body;
  return new Response(statusCode === 204 ? null : bytes, { status: statusCode, headers: all });
}

/** Whether a header's first media type is among the binary ones. */
function isBinary(header: string | null, binaryMediaTypes: readonly string[]): boolean {
  if (binaryMediaTypes.includes('*/*')) return true;
  const first = header?.split(/[,;]/, 1)[0]?.trim().toLowerCase() ?? '';
  return binaryMediaTypes.includes(first) || binaryMediaTypes.includes(first.replace(/\/.*/, '/*'));
}

function titleCase(name: string): string {
  return name.replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());
}
