import { OUTPUT_FORMATS } from '../../../lib/schemas/request.js';
import { schemaRef } from './component-schemas.js';
import { ACCEPTED, ANSWER, LINKED, SEVERAL } from './examples.js';
import { headerRefs, IDEMPOTENCY_KEY, PREFER, WAIT } from './headers.js';
import type { Content, Operation, Responses } from './openapi-types.js';
import { KEY_ERRORS, problemResponses } from './problem-responses.js';
import { WEBHOOK } from './webhook-operation.js';

/** The bytes of one picture. */
export const PICTURES: Content = Object.fromEntries(
  OUTPUT_FORMATS.map((format) => [
    `image/${format}`,
    { schema: { type: 'string', format: 'binary', description: 'The bytes of the picture.' } },
  ]),
);

export const PREDICT: Operation = {
  operationId: 'predict',
  summary: 'Generate',
  description:
    'Warm, it answers with the picture: as JSON, or as bytes where `Accept` wants a picture more. Their format is that of ' +
    '`output_format`, or else the one that `Accept` wants most. Cold, or not done within the wait (20 s unless `Prefer` ' +
    'says otherwise), it answers 202: the request is kept, the endpoint is being woken, and the picture will be at ' +
    '`Location`. Who says how long it waits waits for a wake, too, that may be over by then.',
  tags: ['Pictures'],
  parameters: [PREFER, WAIT, IDEMPOTENCY_KEY],
  requestBody: {
    required: true,
    content: {
      'application/json': {
        schema: schemaRef('PredictRequest'),
        examples: {
          shortest: { summary: 'A prompt alone', value: { prompt: 'A tree in a field under the night sky' } },
          everything: {
            summary: 'Every field but the webhook',
            value: {
              prompt: 'A lighthouse on a beach in a storm',
              num_steps: 2,
              seed: 42,
              num_images: 2,
              output_format: 'webp',
              decoder: 'vae',
            },
          },
        },
      },
    },
  },
  responses: {
    200: {
      description: 'The picture.',
      headers: headerRefs(
        'Preference-Applied',
        'idempotency-replayed',
        'Location-Replayed',
        'x-seed',
        'x-warnings',
      ),
      content: {
        'application/json': {
          schema: { anyOf: [schemaRef('GenerateAnswer'), schemaRef('LinkedAnswer')] },
          examples: {
            one: { summary: 'One picture', value: ANSWER },
            several: { summary: '`num_images` was 2', value: SEVERAL },
            addresses: { summary: '`response_format` was `url`', value: LINKED },
          },
        },
        ...PICTURES,
      },
    },
    202: {
      description: 'Accepted, durably: the picture comes later.',
      headers: headerRefs('Location', 'Retry-After', 'Preference-Applied'),
      content: {
        'application/json': { schema: schemaRef('Accepted'), examples: { accepted: { value: ACCEPTED } } },
      },
      links: {
        prediction: { operationId: 'getPrediction', parameters: { id: '$response.body#/id' } },
      },
    },
    ...problemResponses(...KEY_ERRORS, 406, 409, 410, 413, 415, 504),
    ...replayable(problemResponses(400, 422, 500, 502, 503)),
  },
  callbacks: { ended: { '{$request.body#/webhook}': { post: WEBHOOK } } },
};

/** How a prediction failed is kept, and told again to whoever comes with its `Idempotency-Key`. */
function replayable(responses: Responses): Responses {
  const replayed = headerRefs('idempotency-replayed');
  return Object.fromEntries(
    Object.entries(responses).map(([status, response]) => [
      status,
      { ...response, headers: { ...response.headers, ...replayed } },
    ]),
  );
}
