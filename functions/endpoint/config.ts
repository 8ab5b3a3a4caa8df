import { hostname } from 'node:os';
import * as z from 'zod';
import { ATTENTION_KERNELS, type AttentionKernels } from '../../lib/schemas/attention-kernels.js';
import { MAX_IMAGES } from '../../lib/schemas/request.js';
import { BUNDLE_KINDS } from '../../lib/weights/sources/place.js';
import { placeSchema } from '../../lib/weights/sources/place-schema.js';
import { variableError } from '../shared/variable-error.js';

const DAY_MS = 86_400_000;

const seconds = (most: number) => z.coerce.number().min(1).max(most);

const modelSchema = z.object({
  /** `s3://bucket/prefix` or a directory: where the bundle is. */
  MODEL_URI: placeSchema(BUNDLE_KINDS),
  /** Where a bundle from S3 comes to lie. /tmp is the large, fast disk of a g4dn instance (`infra/ASSUMPTIONS.md`). */
  MODEL_DIRECTORY: z.string().min(1).default('/tmp/model'),
  PROVIDER: z.enum(['cpu', 'cuda']).default('cpu'),
  /** On a GPU. @default what ORT_DISABLE_* say, else guarded */
  ATTENTION_KERNELS: z.enum(ATTENTION_KERNELS).optional(),
});

const endpointSchema = modelSchema.extend({
  /** The address to listen at. @default every address: in a container SageMaker comes from outside */
  BIND_ADDRESS: z.string().min(1).optional(),
  PORT: z.coerce.number().int().min(0).max(65535).default(8080),
  /** SageMaker's choice, where it runs several containers beside each other. */
  SAGEMAKER_BIND_TO_PORT: z.coerce.number().int().min(1).max(65535).optional(),
  /** Requests of which one run of the UNet may draw a picture each: no more than one request may have pictures. */
  MAX_BATCH_SIZE: z.coerce.number().int().min(1).max(MAX_IMAGES).default(1),
  /** Requests that may wait while others are drawn. */
  QUEUE_LIMIT: z.coerce.number().int().min(0).max(1000).default(8),
  /** A request not answered by then is given up: SageMaker does so after 60. */
  DEADLINE_SECONDS: seconds(3600).default(55),
  /** How long SIGTERM waits for requests under way: SageMaker kills after 30. */
  DRAIN_SECONDS: seconds(3600).default(25),
});

const workerSchema = modelSchema.extend({
  /** Where requests are read from, and results and the worker's state written to. */
  RESULTS_BUCKET: z.string().min(1),
  /** The SQS queue of pictures to draw. */
  DRAW_QUEUE_URL: z.url(),
  /** Of the messages that others work on: webhooks. @default nobody is told of what is drawn */
  QUEUE_URL: z.url().optional(),
  /** After so many days a prediction counts as expired. */
  RETENTION_DAYS: z.coerce.number().positive().max(3650).default(1),
  /** So long without a message, and the worker ends. */
  IDLE_SECONDS: seconds(86_400).default(60),
  /** So long after a worker's death others get its message. SQS allows 12 hours. */
  VISIBILITY_SECONDS: z.coerce.number().int().min(3).max(43_200).default(60),
  /** Who this is, among several. @default the name of the host */
  WORKER_NAME: z.string().min(1).max(200).default(hostname),
  /** When the machine came up, where somebody knows. */
  BOOTED_AT: z.iso.datetime().optional(),
  /** How long SIGTERM waits for the picture under way. */
  DRAIN_SECONDS: seconds(3600).default(25),
  /** So long without a sign of life, and the worker's process is ended: it hangs. */
  SILENCE_SECONDS: seconds(3600).default(120),
  /** Metrics go to the log in CloudWatch's embedded format where this names their namespace. */
  POWERTOOLS_METRICS_NAMESPACE: z.string().min(1).optional(),
});

/** What every mode of the container needs. */
export interface ModelConfig {
  readonly modelUri: string;
  readonly modelDirectory: string;
  readonly provider: 'cpu' | 'cuda';
  readonly attentionKernels: AttentionKernels | undefined;
}

export interface EndpointConfig extends ModelConfig {
  readonly host: string | undefined;
  readonly port: number;
  readonly maxBatchSize: number;
  readonly queueLimit: number;
  readonly deadlineMilliseconds: number;
  readonly drainMilliseconds: number;
}

export interface WorkerConfig extends ModelConfig {
  readonly resultsBucket: string;
  readonly drawQueueUrl: string;
  readonly queueUrl: string | undefined;
  readonly retentionMs: number;
  readonly idleMs: number;
  readonly visibilitySeconds: number;
  readonly name: string;
  readonly bootedAt: string | undefined;
  readonly drainMs: number;
  readonly silenceMs: number;
  readonly isMeasured: boolean;
}

/**
 * The settings of the model alone. These three functions are the one place that reads the environment.
 *
 * @throws AppError INVALID_INPUT that names the variable and tells unset from malformed
 */
export function readModelConfig(environment: NodeJS.ProcessEnv = process.env): ModelConfig {
  return modelConfig(read(modelSchema, environment));
}

/** The settings of the server. @throws AppError as `readModelConfig` */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): EndpointConfig {
  const data = read(endpointSchema, environment);
  return {
    ...modelConfig(data),
    host: data.BIND_ADDRESS,
    port: data.SAGEMAKER_BIND_TO_PORT ?? data.PORT,
    maxBatchSize: data.MAX_BATCH_SIZE,
    queueLimit: data.QUEUE_LIMIT,
    deadlineMilliseconds: data.DEADLINE_SECONDS * 1000,
    drainMilliseconds: data.DRAIN_SECONDS * 1000,
  };
}

/** The settings of the worker. @throws AppError as `readModelConfig` */
export function readWorkerConfig(environment: NodeJS.ProcessEnv = process.env): WorkerConfig {
  const data = read(workerSchema, environment);
  return {
    ...modelConfig(data),
    resultsBucket: data.RESULTS_BUCKET,
    drawQueueUrl: data.DRAW_QUEUE_URL,
    queueUrl: data.QUEUE_URL,
    retentionMs: data.RETENTION_DAYS * DAY_MS,
    idleMs: data.IDLE_SECONDS * 1000,
    visibilitySeconds: data.VISIBILITY_SECONDS,
    name: data.WORKER_NAME,
    bootedAt: data.BOOTED_AT,
    drainMs: data.DRAIN_SECONDS * 1000,
    silenceMs: data.SILENCE_SECONDS * 1000,
    isMeasured: data.POWERTOOLS_METRICS_NAMESPACE !== undefined,
  };
}

function read<T>(schema: z.ZodType<T>, environment: NodeJS.ProcessEnv): T {
  const { data, error } = schema.safeParse(environment);
  if (error) throw variableError(error.issues[0], environment);
  return data as T;
}

function modelConfig(data: z.infer<typeof modelSchema>): ModelConfig {
  return {
    modelUri: data.MODEL_URI,
    modelDirectory: data.MODEL_DIRECTORY,
    provider: data.PROVIDER,
    attentionKernels: data.ATTENTION_KERNELS,
  };
}
