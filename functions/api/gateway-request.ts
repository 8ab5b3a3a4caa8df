import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { ownPath } from './gateway-event.js';

/** `fetch` knows no body of these; the gateway hands on whatever came. */
const BODILESS: ReadonlySet<string> = new Set(['GET', 'HEAD']);

/** What `fetch` takes in a header's value. */
const NOT_IN_HEADERS = /[^\t\x20-\x7e\x80-\xff]/g;

/**
 * The request that API Gateway has made an event of, payload version 1.
 *
 * @throws TypeError for a method or a header's name that no `Request` can have
 */
export function gatewayRequest(event: APIGatewayProxyEvent): Request {
  const { httpMethod: method, body, isBase64Encoded, requestContext } = event;
  const headers = new Headers();
  for (const [name, values = []] of Object.entries(event.multiValueHeaders ?? {}))
    for (const value of values) headers.append(name, value.replace(NOT_IN_HEADERS, '?'));
  const url = new URL(`https://${requestContext.domainName ?? 'localhost'}`);
  url.pathname = ownPath(event);
  for (const [name, values = []] of Object.entries(event.multiValueQueryStringParameters ?? {}))
    for (const value of values) url.searchParams.append(name, value);
  const bytes = Buffer.from(body ?? '', isBase64Encoded ? 'base64' : 'utf8');
  return new Request(url, { method, headers, ...(BODILESS.has(method) ? {} : { body: bytes }) });
}

/** What API Gateway makes an answer of; bytes that are no text go as base64. */
export async function gatewayResult(response: Response): Promise<APIGatewayProxyResult> {
  const isBase64Encoded = response.headers.get('content-type')?.startsWith('image/') ?? false;
  const bytes = Buffer.from(await response.arrayBuffer());
  return {
    statusCode: response.status,
    headers: Object.fromEntries(response.headers),
    body: bytes.toString(isBase64Encoded ? 'base64' : 'utf8'),
    isBase64Encoded,
  };
}
