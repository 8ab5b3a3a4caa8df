import * as z from 'zod';
import { corsOriginsSchema } from '../../../lib/schemas/cors-origins.js';
import { DECODERS, type Decoder } from '../../../lib/schemas/request.js';
import { variableError } from '../variable-error.js';

const DAY_MS = 86_400_000;

const common = {
  RESULTS_BUCKET: z.string().min(1),
  QUEUE_URL: z.url(),
  /** After so many days a prediction counts as expired; the bucket's lifecycle rule deletes it soon after. */
  RETENTION_DAYS: z.coerce.number().positive().max(3650).default(1),
  /** Name of the SSM parameter with the secret that webhooks are signed with. */
  WEBHOOK_SECRET_PARAMETER: z.string().min(1).optional(),
  /** Of requests that name none. */
  DEFAULT_DECODER: z.enum(DECODERS).default('vae'),
  /** Of pages elsewhere that may ask, separated by commas. */
  CORS_ORIGINS: corsOriginsSchema.optional(),
};

const names = (word: RegExp, what: string) =>
  z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(z.string().regex(word, `must be ${what}, separated by commas`)));

const environmentSchema = z.discriminatedUnion('BACKEND', [
  z.object({
    ...common,
    BACKEND: z.literal('sagemaker'),
    ENDPOINT_NAME: z.string().min(1),
    INFERENCE_COMPONENT_NAME: z.string().min(1),
  }),
  z.object({
    ...common,
    BACKEND: z.literal('ec2'),
    DRAW_QUEUE_URL: z.url(),
    /** In the order in which they are tried. */
    INSTANCE_IDS: names(/^i-[0-9a-f]{8,17}$/, 'ids of instances'),
    /** What a stopped one may be changed to where there is no capacity; the first is the one it was deployed as. */
    INSTANCE_TYPES: names(/^[a-z][a-z0-9-]*\.[a-z0-9]+$/, 'types of instances'),
  }),
  /** Workers that somebody else runs. */
  z.object({ ...common, BACKEND: z.literal('queue'), DRAW_QUEUE_URL: z.url() }),
]);

/** Where pictures are drawn. */
export type BackendConfig =
  | { readonly kind: 'sagemaker'; readonly endpointName: string; readonly inferenceComponentName: string }
  | {
      readonly kind: 'ec2';
      readonly drawQueueUrl: string;
      readonly instanceIds: readonly string[];
      readonly instanceTypes: readonly string[];
    }
  | { readonly kind: 'queue'; readonly drawQueueUrl: string };

/** The settings of the functions behind the gateway. */
export interface FunctionConfig {
  readonly backend: BackendConfig;
  readonly resultsBucket: string;
  readonly queueUrl: string;
  readonly retentionMs: number;
  readonly webhookSecretParameter: string | undefined;
  readonly defaultDecoder: Decoder;
  readonly corsOrigins: readonly string[];
}

/**
 * Reads them: the one place that does, for all of these functions.
 *
 * @throws AppError INVALID_INPUT that names the variable and tells unset from malformed
 */
export function readFunctionConfig(environment: NodeJS.ProcessEnv = process.env): FunctionConfig {
  const { data, error } = environmentSchema.safeParse({ BACKEND: 'sagemaker', ...environment });
  if (error) throw variableError(error.issues[0], environment);
  return {
    backend: readBackend(data),
    resultsBucket: data.RESULTS_BUCKET,
    queueUrl: data.QUEUE_URL,
    retentionMs: data.RETENTION_DAYS * DAY_MS,
    webhookSecretParameter: data.WEBHOOK_SECRET_PARAMETER,
    defaultDecoder: data.DEFAULT_DECODER,
    corsOrigins: data.CORS_ORIGINS ?? [],
  };
}

function readBackend(data: z.infer<typeof environmentSchema>): BackendConfig {
  switch (data.BACKEND) {
    case 'sagemaker':
      return {
        kind: 'sagemaker',
        endpointName: data.ENDPOINT_NAME,
        inferenceComponentName: data.INFERENCE_COMPONENT_NAME,
      };
    case 'ec2':
      return {
        kind: 'ec2',
        drawQueueUrl: data.DRAW_QUEUE_URL,
        instanceIds: data.INSTANCE_IDS,
        instanceTypes: data.INSTANCE_TYPES,
      };
    case 'queue':
      return { kind: 'queue', drawQueueUrl: data.DRAW_QUEUE_URL };
  }
}
