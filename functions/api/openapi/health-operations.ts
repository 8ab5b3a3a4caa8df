import { schemaRef } from './component-schemas.js';
import { ASLEEP, READY, WAKING } from './examples.js';
import { headerRefs } from './headers.js';
import type { AnyResponse, Operation } from './openapi-types.js';
import { KEY_ERRORS, problemResponses } from './problem-responses.js';

const states: AnyResponse['content'] = {
  'application/json': {
    schema: schemaRef('Health'),
    examples: { ready: { value: READY }, waking: { value: WAKING }, asleep: { value: ASLEEP } },
  },
};

export const GET_HEALTH: Operation = {
  operationId: 'getHealth',
  summary: 'Get the health',
  description: 'Whether a request would be drawn at once. Needs no key, and wakes nothing.',
  tags: ['Endpoint'],
  security: [],
  responses: {
    200: {
      description: 'The state. That this service itself is up, the status says.',
      headers: headerRefs(),
      content: states,
    },
    ...problemResponses(429, 500, 503, 504),
  },
};

export const WARM_UP: Operation = {
  operationId: 'warmUp',
  summary: 'Warm up',
  description:
    'So that a later request finds it warm. Harmless when it is awake or waking already; there is no body.',
  tags: ['Endpoint'],
  responses: {
    202: { description: 'It is being woken, or is awake.', headers: headerRefs(), content: states },
    ...problemResponses(...KEY_ERRORS, 500, 503, 504),
  },
};
