import type { APIGatewayAuthorizerResult, APIGatewayRequestAuthorizerEvent } from 'aws-lambda';
import { readKey, whyNoKey } from '../shared/read-key.js';

/** API Gateway makes a 401 of exactly this message. */
const UNAUTHORIZED = 'Unauthorized';
const KEY_HEADER = /^(x-api-key|authorization)$/i;
const PRINTABLE = /^[\x20-\x7e]*$/;

/**
 * Hands the key on, from whichever header it is in. Whether it is good, and how often it may be used, is the
 * gateway's to say: it looks the key up in the usage plan after this. An `Authorization` without a key in it is denied, with
 * the reason in the gateway's answer.
 */
export async function handler(event: APIGatewayRequestAuthorizerEvent): Promise<APIGatewayAuthorizerResult> {
  const headers = keyHeaders(event.headers ?? {});
  const key = readKey(headers);
  if (key !== undefined) return { ...judge('Allow', event), usageIdentifierKey: key };
  if (!headers.has('authorization')) throw new Error(UNAUTHORIZED);
  return { ...judge('Deny', event), context: { reason: whyNoKey(headers) } };
}

function judge(Effect: 'Allow' | 'Deny', { methodArn }: APIGatewayRequestAuthorizerEvent) {
  return {
    principalId: 'key',
    policyDocument: {
      Version: '2012-10-17',
      Statement: [{ Action: 'execute-api:Invoke', Effect, Resource: methodArn }],
    },
  };
}

/** The others are none of its business, and may have characters that `Headers` refuses. */
function keyHeaders(headers: Readonly<Record<string, string | undefined>>): Headers {
  const found = new Headers();
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined && KEY_HEADER.test(name) && PRINTABLE.test(value)) found.set(name, value);
  return found;
}
