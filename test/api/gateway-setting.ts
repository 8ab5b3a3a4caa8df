import { gateway } from '../support/servers/gateway.js';
import { MARKER, type Setting } from './contract/setting.js';
import type { FunctionStack } from './function-stack.js';

const DAY_MS = 86_400_000;
/** A key that is good. */
export const MINE = `mine-${MARKER}`;
const OTHER = `other-${MARKER}`;
const KEYS = new Map([
  [MINE, 'key-id-1'],
  [OTHER, 'key-id-2'],
]);

/** A stack behind API Gateway; what draws in it is its own to say. */
export function gatewaySetting(stack: FunctionStack): Omit<Setting, 'side'> {
  return {
    send: gateway({ api: stack.api, authorizer: (event) => stack.authorizer.invoke(event), keys: KEYS }),
    baseUrl: 'https://abc123.execute-api.us-east-1.amazonaws.com/prod',
    credentials: { authorization: `Api-Key ${MINE}` },
    stranger: { 'x-api-key': OTHER },
    checksKeys: false,
    expire: (id) => stack.age(id, DAY_MS + 1000),
    output: () => stack.output(),
    stop: () => stack.stop(),
  };
}
