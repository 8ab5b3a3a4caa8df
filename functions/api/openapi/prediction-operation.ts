import { schemaRef } from './component-schemas.js';
import { EXAMPLE_ID, FAILED, QUEUED, SUCCEEDED, SUCCEEDED_LINKED } from './examples.js';
import { headerRefs, PREFER, WAIT } from './headers.js';
import type { Operation } from './openapi-types.js';
import { PICTURES } from './predict-operation.js';
import { KEY_ERRORS, problemResponses } from './problem-responses.js';

export const GET_PREDICTION: Operation = {
  operationId: 'getPrediction',
  summary: 'Get a prediction',
  description:
    'What became of a request that was accepted. With `Prefer: wait=N` it is answered as soon as the prediction ends, or ' +
    'after N seconds. Where `Accept` wants a picture more than JSON and it has succeeded, the answer is the first picture; ' +
    'where it has failed, the problem with its own status.',
  tags: ['Pictures'],
  parameters: [
    {
      name: 'id',
      in: 'path',
      required: true,
      description: 'As `POST /predict` gave it.',
      schema: schemaRef('PredictionId'),
      example: EXAMPLE_ID,
    },
    PREFER,
    WAIT,
  ],
  responses: {
    200: {
      description: 'The prediction as it is; one that has failed is told by its `status`.',
      headers: headerRefs('Retry-After-Queued', 'Preference-Applied', 'x-seed', 'x-warnings'),
      content: {
        'application/json': {
          schema: schemaRef('Prediction'),
          examples: {
            queued: { value: QUEUED },
            succeeded: { value: SUCCEEDED },
            addresses: { summary: '`response_format` was `url`', value: SUCCEEDED_LINKED },
            failed: { value: FAILED },
          },
        },
        ...PICTURES,
      },
    },
    ...problemResponses(400, ...KEY_ERRORS, 404, 406, 410, 422, 500, 502, 503, 504),
  },
};
