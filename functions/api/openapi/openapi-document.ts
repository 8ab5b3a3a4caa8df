import type { Decoder } from '../../../lib/schemas/request.js';
import { componentSchemas } from './component-schemas.js';
import { HEADERS } from './headers.js';
import { GET_HEALTH, WARM_UP } from './health-operations.js';
import { EDIT_IMAGE, GENERATE_IMAGES, GET_MODEL, LIST_MODELS } from './openai-operations.js';
import type { OpenapiDocument } from './openapi-types.js';
import { PREDICT } from './predict-operation.js';
import { GET_PREDICTION } from './prediction-operation.js';
import { CANCEL_PREDICTION, LIST_PREDICTIONS } from './predictions-operations.js';

/** Of the wire, not of this package. */
const API_VERSION = '1.0.0';

/**
 * What the service takes and answers, as OpenAPI 3.1.
 *
 * @param baseUrl the service's public URL without a slash at its end
 * @param decoder of requests that name none
 */
export function openapiDocument(baseUrl: string, decoder: Decoder = 'vae'): OpenapiDocument {
  return {
    openapi: '3.1.1',
    info: {
      title: 'SD-Turbo',
      version: API_VERSION,
      description:
        'Pictures from words, on a GPU that sleeps while nobody asks. A request that finds it asleep is accepted, wakes ' +
        'it, and is answered with an address where the picture will be. Every answer carries `x-request-id` and ' +
        '`Server-Timing`; every error is `application/problem+json` (RFC 9457).',
    },
    servers: [{ url: baseUrl }],
    security: [{ apiKey: [] }, { authorization: [] }],
    tags: [
      { name: 'Pictures', description: 'Ask for pictures, and fetch those that come later.' },
      { name: 'Endpoint', description: 'Whether the GPU is awake.' },
    ],
    paths: {
      '/predict': { post: PREDICT },
      '/predictions/{id}': { get: GET_PREDICTION, delete: CANCEL_PREDICTION },
      '/predictions': { get: LIST_PREDICTIONS },
      '/v1/images/generations': { post: GENERATE_IMAGES },
      '/v1/images/edits': { post: EDIT_IMAGE },
      '/v1/models': { get: LIST_MODELS },
      '/v1/models/{id}': { get: GET_MODEL },
      '/health': { get: GET_HEALTH },
      '/warmup': { post: WARM_UP },
    },
    components: {
      schemas: componentSchemas(decoder),
      headers: HEADERS,
      securitySchemes: {
        apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key', description: 'The key as it is.' },
        authorization: {
          type: 'http',
          scheme: 'bearer',
          description: 'The key after `Bearer`, as OpenAI has it, or after `Api-Key`, as Baseten has it.',
        },
      },
    },
  };
}
