import type { APIGatewayAuthorizerResult, APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';

/** Of one answer of a Lambda function, as JSON. Bytes. */
const MAX_ANSWER = 6 * 1024 * 1024;
const STAGE = '/prod';
/** The paths that need no key. */
const OPEN = /^\/(health|docs|openapi\.json)?$/;

export interface GatewayProps {
  readonly api: (event: APIGatewayProxyEvent) => Promise<APIGatewayProxyResult>;
  readonly authorizer: (event: unknown) => Promise<APIGatewayAuthorizerResult>;
  /** The ids of the usage plan's keys, by key. */
  readonly keys: ReadonlyMap<string, string>;
  /** Whether bodies come as base64, as they do where the binary media types have the request's own. @default false */
  readonly base64Bodies?: boolean;
}

/** API Gateway's REST API before the functions, from `Request` to `Response`: payload version 1, stage `prod`. */
export function gateway(props: GatewayProps): (request: Request) => Promise<Response> {
  return async (request) => {
    const event = await toEvent(request, props.base64Bodies ?? false);
    if (!OPEN.test(event.path)) {
      const apiKeyId = await identify(event, props).catch(() => undefined);
      if (apiKeyId === undefined) return Response.json({ message: 'Forbidden' }, { status: 403 });
      event.requestContext.identity.apiKeyId = apiKeyId;
    }
    return toResponse(await props.api(event), request.headers.get('accept'));
  };
}

/** The event that the gateway makes of a request. */
export async function toEvent(request: Request, base64 = false): Promise<APIGatewayProxyEvent> {
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

/** The answer that the gateway makes of a function's result, with `image/*` among the binary media types. */
export function toResponse(result: APIGatewayProxyResult, accept: string | null): Response {
  if (Buffer.byteLength(JSON.stringify(result)) > MAX_ANSWER) {
    return Response.json({ message: 'Internal server error' }, { status: 502 });
  }
  const { statusCode, body, isBase64Encoded, headers = {}, multiValueHeaders = {} } = result;
  const all = new Headers();
  for (const [name, value] of Object.entries(headers)) all.set(name, String(value));
  for (const [name, values] of Object.entries(multiValueHeaders))
    for (const value of values) all.append(name, String(value));
  // It decodes only where the first of `Accept` is one of its binary types.
  const decoded = isBase64Encoded && /^\s*image\//.test(accept ?? '');
  const bytes = decoded ? Buffer.from(body, 'base64') : body;
  return new Response(statusCode === 204 ? null : bytes, { status: statusCode, headers: all });
}

function titleCase(name: string): string {
  return name.replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());
}
