import type { APIGatewayAuthorizerResult, APIGatewayRequestAuthorizerEvent } from 'aws-lambda';
import { readKey } from '../shared/read-key.js';

/** API Gateway makes a 401 of exactly this message. */
const UNAUTHORIZED = 'Unauthorized';

/**
 * Hands the key on, from whichever header it is in. Whether it is good, and how often it may be used, is the
 * gateway's to say: it looks the key up in the usage plan after this.
 */
export async function handler(event: APIGatewayRequestAuthorizerEvent): Promise<APIGatewayAuthorizerResult> {
  const key = readKey(new Headers(definedOnly(event.headers ?? {})));
  if (key === undefined) throw new Error(UNAUTHORIZED);
  return {
    principalId: 'key',
    policyDocument: {
      Version: '2012-10-17',
      Statement: [{ Action: 'execute-api:Invoke', Effect: 'Allow', Resource: event.methodArn }],
    },
    usageIdentifierKey: key,
  };
}

function definedOnly(headers: Readonly<Record<string, string | undefined>>): [string, string][] {
  return Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
}
