import { schemaRef } from './component-schemas.js';
import { OPENAI_ANSWER, OPENAI_LINKED, OPENAI_MODEL } from './examples.js';
import { headerRefs } from './headers.js';
import { DRAWING_ERRORS, openaiErrors } from './openai-errors.js';
import type { AnyResponse, Operation } from './openapi-types.js';
import { KEY_ERRORS } from './problem-responses.js';

const EVENTS = ['image_generation.completed', 'image_edit.completed'] as const;
const EVENT = {
  event: EVENTS[0],
  data: `{"type": "${EVENTS[0]}", "b64_json": "...", "created_at": ${OPENAI_ANSWER.created}}`,
};

const PICTURES: AnyResponse = {
  description: 'The pictures.',
  headers: headerRefs(),
  content: {
    'application/json': {
      schema: schemaRef('OpenaiImageAnswer'),
      examples: {
        one: { value: OPENAI_ANSWER },
        addresses: { summary: '`response_format` was `url`', value: OPENAI_LINKED },
      },
    },
    'text/event-stream': {
      // Of each event.
      schema: {
        type: 'object',
        description: 'With `stream`: an event for each picture, when all are done.',
        properties: {
          event: { type: 'string', enum: EVENTS },
          data: { type: 'string', description: 'JSON, with the picture in `b64_json`.' },
        },
        required: ['event', 'data'],
      },
      examples: { one: { value: EVENT } },
    },
  },
};

export const GENERATE_IMAGES: Operation = {
  operationId: 'generateImages',
  summary: 'Generate (OpenAI)',
  description:
    'For programs that speak to OpenAI: give them this URL with `/v1`, and the key. Pictures come as `b64_json`, as `url`, ' +
    "or as both. Cold is 503 with `Retry-After`, which OpenAI's clients follow by their own retries.",
  tags: ['Pictures'],
  requestBody: {
    required: true,
    content: {
      'application/json': {
        schema: schemaRef('OpenaiImageRequest'),
        examples: {
          shortest: { value: { prompt: 'A tree in a field under the night sky' } },
          everything: {
            summary: 'As a tutorial has it',
            value: {
              model: 'dall-e-3',
              prompt: 'A lighthouse on a beach in a storm',
              n: 1,
              size: '1024x1024',
              quality: 'standard',
              response_format: 'url',
            },
          },
        },
      },
    },
  },
  responses: { 200: PICTURES, ...openaiErrors(...DRAWING_ERRORS) },
};

export const EDIT_IMAGE: Operation = {
  operationId: 'editImage',
  summary: 'Change a picture (OpenAI)',
  description:
    'As OpenAI has it, a form with a picture to begin with. All of it changes, as far as `strength` lets it: a `mask` is ' +
    'refused. It is scaled and cut to the size that the model draws.',
  tags: ['Pictures'],
  requestBody: {
    required: true,
    content: {
      'multipart/form-data': {
        schema: schemaRef('OpenaiEditForm'),
        examples: {
          shortest: { value: { image: '@picture.png', prompt: 'A tree in a field under the night sky' } },
        },
      },
    },
  },
  responses: { 200: PICTURES, ...openaiErrors(...DRAWING_ERRORS) },
};

export const LIST_MODELS: Operation = {
  operationId: 'listModels',
  summary: 'List models (OpenAI)',
  description: 'The one that there is. It draws whichever name a request has.',
  tags: ['Endpoint'],
  responses: {
    200: {
      description: 'The model.',
      headers: headerRefs(),
      content: {
        'application/json': {
          schema: schemaRef('OpenaiModels'),
          examples: { one: { value: { object: 'list', data: [OPENAI_MODEL] } } },
        },
      },
    },
    ...openaiErrors(...KEY_ERRORS, 500, 502, 503, 504),
  },
};

export const GET_MODEL: Operation = {
  operationId: 'getModel',
  summary: 'Get a model (OpenAI)',
  description: 'The same by its name.',
  tags: ['Endpoint'],
  parameters: [
    {
      name: 'id',
      in: 'path',
      required: true,
      description: 'As `GET /v1/models` has it.',
      schema: { type: 'string' },
      example: OPENAI_MODEL.id,
    },
  ],
  responses: {
    200: {
      description: 'The model.',
      headers: headerRefs(),
      content: {
        'application/json': { schema: schemaRef('OpenaiModel'), examples: { one: { value: OPENAI_MODEL } } },
      },
    },
    ...openaiErrors(...KEY_ERRORS, 404, 500, 502, 503, 504),
  },
};
