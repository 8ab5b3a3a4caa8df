import { schemaRef } from './component-schemas.js';
import { CANCELED, FAILED, PROGRESS, QUEUED, SUCCEEDED, SUCCEEDED_LINKED } from './examples.js';
import { headerRefs, PREFER, WAIT } from './headers.js';
import type { MediaType, Operation, Parameter } from './openapi-types.js';
import { PICTURES } from './predict-operation.js';
import { PREDICTION_ID } from './predictions-operations.js';
import { KEY_ERRORS, problemResponses } from './problem-responses.js';

const LAST_EVENT_ID: Parameter = {
  name: 'Last-Event-ID',
  in: 'header',
  required: false,
  description: 'With `text/event-stream`: the `id` of the last event, which is not sent again.',
  schema: { type: 'string' },
  example: 'waking-1f0c2a9b',
};

const EVENTS: MediaType = {
  schema: {
    type: 'string',
    description: 'Server-sent events, each with an `id`; lines that begin with `:` are signs of life.',
  },
  examples: {
    events: {
      value: [
        'retry: 1000\n\n',
        ...[PROGRESS, FAILED].map(
          (data, i) =>
            `event: ${i === 0 ? 'progress' : 'ended'}\ndata: ${JSON.stringify(data)}\nid: ${i === 0 ? 'waking-1f0c2a9b' : 'failed'}\n\n`,
        ),
      ].join(''),
    },
  },
};

export const GET_PREDICTION: Operation = {
  operationId: 'getPrediction',
  summary: 'Get a prediction',
  description:
    'What became of a request that was accepted. With `Prefer: wait=N` it is answered as soon as the prediction ends, or ' +
    'after N seconds. Where `Accept` wants a picture more than JSON and it has succeeded, the answer is the first picture; ' +
    'where it has failed, the problem with its own status.\n\nWhere `Accept` wants `text/event-stream` most, the answer is a ' +
    'stream of server-sent events: `progress` for each phase of the wake and of the drawing (`PredictionProgress`), then ' +
    '`ended` (`Prediction`). Where a stream cannot be handed on as it comes, as behind API Gateway, it ends after some ' +
    'seconds; `Last-Event-ID` goes on behind the last event.',
  tags: ['Pictures'],
  parameters: [PREDICTION_ID, PREFER, WAIT, LAST_EVENT_ID],
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
            canceled: { value: CANCELED },
          },
        },
        ...PICTURES,
        'text/event-stream': EVENTS,
      },
    },
    204: { description: 'What `Last-Event-ID` names was the end.', headers: headerRefs(), content: {} },
    ...problemResponses(400, ...KEY_ERRORS, 404, 406, 410, 422, 500, 502, 503, 504),
  },
};
