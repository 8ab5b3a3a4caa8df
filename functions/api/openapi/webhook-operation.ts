import { WEBHOOK_PAUSES_S } from '../../../lib/predictions/webhook-pauses.js';
import { FOLLOWED, GONE, MAX_REDIRECTS, TOTAL_MS, USER_AGENT } from '../../shared/webhooks/webhook-terms.js';
import { schemaRef } from './component-schemas.js';
import { EXAMPLE_ID, TOLD, TOLD_OF_CANCEL, TOLD_OF_FAILURE } from './examples.js';
import type { AnyResponse, Operation, Parameter } from './openapi-types.js';

const attempts = WEBHOOK_PAUSES_S.length + 1;
const seconds = TOTAL_MS / 1000;

/** What a request's `webhook` is sent, and what its answers mean. */
export const WEBHOOK: Operation = {
  operationId: 'predictionEnded',
  summary: 'Webhook: a prediction has ended',
  description:
    'Sent to the `webhook` of a request, signed as Standard Webhooks 1.0.0 has it; https and public addresses only. An ' +
    `attempt may take ${seconds} seconds. There are up to ${attempts} attempts, with pauses of ` +
    `${WEBHOOK_PAUSES_S.join(', ')} seconds.`,
  tags: ['Pictures'],
  security: [],
  parameters: [
    {
      ...header(
        'webhook-id',
        "The prediction's id: the same for every attempt, and for a repetition.",
        EXAMPLE_ID,
      ),
      schema: schemaRef('PredictionId'),
    },
    {
      ...header('webhook-timestamp', 'When this attempt was made. Seconds since 1970.', '1795426453'),
      schema: { type: 'string', pattern: '^\\d{10}$' },
    },
    {
      ...header(
        'webhook-signature',
        '`v1,` and the base64 of the HMAC-SHA256, by the bytes of the secret, over id, timestamp and body with a dot ' +
          'between them.',
        'v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=',
      ),
      schema: { type: 'string', pattern: '^v1,[A-Za-z0-9+/]{43}=$' },
    },
    {
      ...header('user-agent', 'Who sends it.', USER_AGENT),
      schema: { type: 'string', const: USER_AGENT },
    },
  ],
  requestBody: {
    required: true,
    content: {
      'application/json': {
        schema: schemaRef('WebhookEvent'),
        examples: {
          succeeded: { value: TOLD },
          failed: { value: TOLD_OF_FAILURE },
          canceled: { value: TOLD_OF_CANCEL },
        },
      },
    },
  },
  responses: {
    '2XX': answer('Received: nothing more is sent.'),
    ...Object.fromEntries(
      [...FOLLOWED].map((status) => [
        status,
        answer(`Followed, ${MAX_REDIRECTS} times at most, to another place that is https and public.`),
      ]),
    ),
    [GONE]: answer('Not wanted: nothing more is sent.'),
    default: answer(
      'Not received, other redirects included: there is another attempt, unless this was the last one.',
    ),
  },
};

function header(name: string, description: string, example: string): Omit<Parameter, 'schema'> {
  return { name, in: 'header', required: true, description, example };
}

/** Of an answer no more is read than its head. */
function answer(description: string): AnyResponse {
  return { description, headers: {}, content: {} };
}
