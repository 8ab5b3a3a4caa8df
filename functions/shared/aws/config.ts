import * as z from 'zod';
import { DECODERS, type Decoder } from '../../../lib/schemas/request.js';
import { variableError } from '../variable-error.js';

const DAY_MS = 86_400_000;

const environmentSchema = z.object({
  ENDPOINT_NAME: z.string().min(1),
  INFERENCE_COMPONENT_NAME: z.string().min(1),
  RESULTS_BUCKET: z.string().min(1),
  QUEUE_URL: z.url(),
  /** After so many days a prediction counts as expired; the bucket's lifecycle rule deletes it soon after. */
  RETENTION_DAYS: z.coerce.number().positive().max(3650).default(1),
  /** Name of the SSM parameter with the secret that webhooks are signed with. */
  WEBHOOK_SECRET_PARAMETER: z.string().min(1).optional(),
  /** Of requests that name none. */
  DEFAULT_DECODER: z.enum(DECODERS).default('vae'),
});

/** The settings of the functions behind the gateway. */
export interface FunctionConfig {
  readonly endpointName: string;
  readonly inferenceComponentName: string;
  readonly resultsBucket: string;
  readonly queueUrl: string;
  readonly retentionMs: number;
  readonly webhookSecretParameter: string | undefined;
  readonly defaultDecoder: Decoder;
}

/**
 * Reads them: the one place that does, for all of these functions.
 *
 * @throws AppError INVALID_INPUT that names the variable and tells unset from malformed
 */
export function readFunctionConfig(environment: NodeJS.ProcessEnv = process.env): FunctionConfig {
  const { data, error } = environmentSchema.safeParse(environment);
  if (error) throw variableError(error.issues[0], environment);
  return {
    endpointName: data.ENDPOINT_NAME,
    inferenceComponentName: data.INFERENCE_COMPONENT_NAME,
    resultsBucket: data.RESULTS_BUCKET,
    queueUrl: data.QUEUE_URL,
    retentionMs: data.RETENTION_DAYS * DAY_MS,
    webhookSecretParameter: data.WEBHOOK_SECRET_PARAMETER,
    defaultDecoder: data.DEFAULT_DECODER,
  };
}
