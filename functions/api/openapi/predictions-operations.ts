import { BEGUN } from '../../../lib/predictions/cancel-prediction.js';
import { DEFAULT_LIMIT, ENTRY_NAME, MAX_LIMIT } from '../../../lib/schemas/predictions/prediction-list.js';
import { schemaRef } from './component-schemas.js';
import { CANCELED, EXAMPLE_ID, LISTED } from './examples.js';
import { headerRefs } from './headers.js';
import type { Operation, Parameter } from './openapi-types.js';
import { KEY_ERRORS, problemResponse, problemResponses } from './problem-responses.js';

export const PREDICTION_ID: Parameter = {
  name: 'id',
  in: 'path',
  required: true,
  description: 'As `POST /predict` gave it.',
  schema: schemaRef('PredictionId'),
  example: EXAMPLE_ID,
};

export const LIST_PREDICTIONS: Operation = {
  operationId: 'listPredictions',
  summary: 'List predictions',
  description:
    'What this key has asked for and the service keeps, newest first, without pictures. Requests that were answered at once ' +
    'are kept where they had an `Idempotency-Key`.',
  tags: ['Pictures'],
  parameters: [
    {
      name: 'limit',
      in: 'query',
      required: false,
      description: 'Most predictions in the answer.',
      schema: { type: 'integer', minimum: 1, maximum: MAX_LIMIT, default: DEFAULT_LIMIT },
      example: DEFAULT_LIMIT,
    },
    {
      name: 'cursor',
      in: 'query',
      required: false,
      description: 'The `next_cursor` of the answer before: goes on behind its last prediction.',
      schema: { type: 'string', pattern: ENTRY_NAME.source },
      example: `8204573799999-${EXAMPLE_ID}`,
    },
  ],
  responses: {
    200: {
      description: 'A page of them; without `next_cursor` it is the last one.',
      headers: headerRefs(),
      content: {
        'application/json': { schema: schemaRef('PredictionList'), examples: { page: { value: LISTED } } },
      },
    },
    ...problemResponses(400, ...KEY_ERRORS, 500, 503, 504),
  },
};

export const CANCEL_PREDICTION: Operation = {
  operationId: 'cancelPrediction',
  summary: 'Cancel a prediction',
  description:
    'Once this is answered with 200, it is not drawn, and its webhook is told `prediction.canceled`. What is being drawn is ' +
    'drawn to its end. Again does no harm.',
  tags: ['Pictures'],
  parameters: [PREDICTION_ID],
  responses: {
    200: {
      description: 'It is canceled.',
      headers: headerRefs(),
      content: {
        'application/json': {
          schema: schemaRef('CanceledPrediction'),
          examples: { canceled: { value: CANCELED } },
        },
      },
    },
    ...problemResponses(...KEY_ERRORS, 404, 410, 500, 503, 504),
    409: problemResponse(409, { when: 'Somebody draws it, or it has ended.', detail: BEGUN }),
  },
};
