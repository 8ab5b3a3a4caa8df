import * as z from 'zod';
import { generateAnswerSchema, linkedAnswerSchema } from '../../../lib/schemas/answer.js';
import { healthSchema } from '../../../lib/schemas/health.js';
import {
  openaiErrorSchema,
  openaiImageAnswerSchema,
  openaiModelSchema,
  openaiModelsSchema,
} from '../../../lib/schemas/openai/image-answer.js';
import { openaiEditFormSchema, openaiImageRequestSchema } from '../../../lib/schemas/openai/image-request.js';
import { acceptedSchema, predictionIdSchema, predictionSchema } from '../../../lib/schemas/prediction.js';
import {
  predictionListSchema,
  predictionSummarySchema,
} from '../../../lib/schemas/predictions/prediction-list.js';
import { predictionProgressSchema } from '../../../lib/schemas/predictions/prediction-progress.js';
import { problemSchema } from '../../../lib/schemas/problem.js';
import { type Decoder, predictRequestSchema } from '../../../lib/schemas/request.js';
import { webhookEventSchema } from '../../../lib/schemas/webhook.js';
import type { JsonSchema } from './openapi-types.js';

const REQUESTS = {
  PredictRequest: predictRequestSchema,
  OpenaiImageRequest: openaiImageRequestSchema,
  OpenaiEditForm: openaiEditFormSchema,
};

const [queued, succeeded, linked, failed, canceled] = predictionSchema.options;
const [succeededEvent, failedEvent, canceledEvent] = webhookEventSchema.options;

const ANSWERS = {
  GenerateAnswer: generateAnswerSchema,
  LinkedAnswer: linkedAnswerSchema,
  Accepted: acceptedSchema,
  PredictionId: predictionIdSchema,
  Prediction: predictionSchema,
  QueuedPrediction: queued,
  SucceededPrediction: succeeded,
  LinkedPrediction: linked,
  FailedPrediction: failed,
  CanceledPrediction: canceled,
  PredictionList: predictionListSchema,
  PredictionSummary: predictionSummarySchema,
  PredictionProgress: predictionProgressSchema,
  WebhookEvent: webhookEventSchema,
  SucceededEvent: succeededEvent,
  FailedEvent: failedEvent,
  CanceledEvent: canceledEvent,
  Health: healthSchema,
  Problem: problemSchema,
  OpenaiImageAnswer: openaiImageAnswerSchema,
  OpenaiError: openaiErrorSchema,
  OpenaiModel: openaiModelSchema,
  OpenaiModels: openaiModelsSchema,
};

export type SchemaName = keyof typeof REQUESTS | keyof typeof ANSWERS;

/** What zod writes `pattern` for beside `format`: the format says it in one word. */
const FORMATS_ENOUGH: ReadonlySet<unknown> = new Set(['base64', 'date-time']);

/**
 * The service's own schemas as OpenAPI's components.
 *
 * @param decoder of requests that name none: the deploy settles it
 */
export function componentSchemas(decoder: Decoder): Record<string, JsonSchema> {
  const { PredictRequest, ...others } = toJsonSchemas(REQUESTS, 'input');
  const properties = PredictRequest?.['properties'] as Record<string, JsonSchema>;
  const settled = { ...properties, decoder: { ...properties['decoder'], default: decoder } };
  const requests = { PredictRequest: { ...PredictRequest, properties: settled }, ...others };
  return { ...requests, ...toJsonSchemas(ANSWERS, 'output') };
}

export function schemaRef(name: SchemaName): JsonSchema {
  return { $ref: `#/components/schemas/${name}` };
}

function toJsonSchemas(named: Readonly<Record<string, z.ZodType>>, io: 'input' | 'output') {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(named)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, {
    io,
    uri: (id) => `#/components/schemas/${id}`,
    override: ({ jsonSchema }) => {
      if (FORMATS_ENOUGH.has(jsonSchema.format)) delete jsonSchema.pattern;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER && io === 'output') delete jsonSchema.maximum;
    },
  });
  return Object.fromEntries(
    // A component has neither: the document says its dialect, and its place is its name.
    Object.entries(schemas).map(([name, { $schema, $id, ...schema }]) => [name, schema as JsonSchema]),
  );
}
