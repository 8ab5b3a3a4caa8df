import * as z from 'zod';
import { ATTENTION_KERNELS, type AttentionKernels } from '../../lib/schemas/attention-kernels.js';
import { BUNDLE_KINDS } from '../../lib/weights/sources/place.js';
import { placeSchema } from '../../lib/weights/sources/place-schema.js';
import { variableError } from '../shared/variable-error.js';

const seconds = (most: number) => z.coerce.number().min(1).max(most);

const environmentSchema = z.object({
  /** `s3://bucket/prefix` or a directory: where the bundle is. */
  MODEL_URI: placeSchema(BUNDLE_KINDS),
  /** Where a bundle from S3 comes to lie. /tmp is the large, fast disk of a g4dn instance (`infra/ASSUMPTIONS.md`). */
  MODEL_DIRECTORY: z.string().min(1).default('/tmp/model'),
  /** The address to listen at. @default every address: in a container SageMaker comes from outside */
  BIND_ADDRESS: z.string().min(1).optional(),
  PORT: z.coerce.number().int().min(0).max(65535).default(8080),
  /** SageMaker's choice, where it runs several containers beside each other. */
  SAGEMAKER_BIND_TO_PORT: z.coerce.number().int().min(1).max(65535).optional(),
  PROVIDER: z.enum(['cpu', 'cuda']).default('cpu'),
  /** On a GPU. @default what ORT_DISABLE_* say, else guarded */
  ATTENTION_KERNELS: z.enum(ATTENTION_KERNELS).optional(),
  /** Requests that may wait while another is drawn. */
  QUEUE_LIMIT: z.coerce.number().int().min(0).max(1000).default(8),
  /** A request not answered by then is given up: SageMaker does so after 60. */
  DEADLINE_SECONDS: seconds(3600).default(55),
  /** How long SIGTERM waits for requests under way: SageMaker kills after 30. */
  DRAIN_SECONDS: seconds(3600).default(25),
});

export interface EndpointConfig {
  readonly modelUri: string;
  readonly modelDirectory: string;
  readonly host: string | undefined;
  readonly port: number;
  readonly provider: 'cpu' | 'cuda';
  readonly attentionKernels: AttentionKernels | undefined;
  readonly queueLimit: number;
  readonly deadlineMilliseconds: number;
  readonly drainMilliseconds: number;
}

/**
 * The endpoint's settings: the one place that reads the environment.
 *
 * @throws AppError INVALID_INPUT that names the variable and tells unset from malformed
 */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): EndpointConfig {
  const { data, error } = environmentSchema.safeParse(environment);
  if (error) throw variableError(error.issues[0], environment);
  return {
    modelUri: data.MODEL_URI,
    modelDirectory: data.MODEL_DIRECTORY,
    host: data.BIND_ADDRESS,
    port: data.SAGEMAKER_BIND_TO_PORT ?? data.PORT,
    provider: data.PROVIDER,
    attentionKernels: data.ATTENTION_KERNELS,
    queueLimit: data.QUEUE_LIMIT,
    deadlineMilliseconds: data.DEADLINE_SECONDS * 1000,
    drainMilliseconds: data.DRAIN_SECONDS * 1000,
  };
}
