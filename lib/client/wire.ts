import type { GenerateAnswer, LinkedAnswer } from '../schemas/answer.js';
import type { Health as WireHealth } from '../schemas/health.js';
import { inputName, inputProblem, SERVICE_NAMES, wireName } from '../schemas/input-names.js';
import type { Prediction as WirePrediction } from '../schemas/prediction.js';
import type { PredictionList as WireList } from '../schemas/predictions/prediction-list.js';
import type { Problem as WireProblem } from '../schemas/problem.js';
import type { EndedPrediction } from '../schemas/webhook.js';
import { decodeBase64, encodeBase64 } from './base64.js';
import { ClientError } from './client-error.js';
import type { PredictInput } from './generate-input.js';
import type { GeneratedImages } from './generated-images.js';
import type {
  CanceledPrediction,
  FailedPrediction,
  Health,
  Prediction,
  PredictionList,
  Problem,
  QueuedPrediction,
  SucceededPrediction,
} from './prediction.js';

/**
 * The request's body.
 *
 * @throws ClientError for a field that there is not
 */
export async function toBody(input: PredictInput): Promise<Record<string, unknown>> {
  const problem = inputProblem(input, Object.keys(SERVICE_NAMES));
  if (problem) throw new ClientError(problem);
  const { image, ...others } = input;
  const named = Object.entries(others).map(([name, value]) => [wireName(name), value]);
  return { ...Object.fromEntries(named), image: await toImageText(image) };
}

async function toImageText(image: unknown): Promise<unknown> {
  if (image instanceof Uint8Array) return encodeBase64(image);
  if (image instanceof Blob) return encodeBase64(new Uint8Array(await image.arrayBuffer()));
  if (image === undefined || typeof image === 'string') return image;
  throw new ClientError('image: must be a Blob, a Uint8Array, or a string of base64 or a data URL');
}

export function toImages(
  answer: GenerateAnswer | LinkedAnswer,
  timings: GeneratedImages['timings'],
): GeneratedImages {
  const isLinked = 'urls' in answer;
  return {
    images: isLinked ? [] : (answer.results ?? [answer.result]).map(decodeBase64),
    ...(isLinked && { urls: answer.urls, urlsExpireAt: answer.urls_expire_at }),
    format: answer.output_format,
    contentType: `image/${answer.output_format}`,
    seed: answer.seed,
    steps: answer.num_steps,
    decoder: answer.decoder,
    ...(answer.size && { size: answer.size }),
    tokensCut: answer.tokens_cut,
    ...(answer.warnings && { warnings: answer.warnings }),
    model: answer.model,
    timings,
  };
}

export function toPrediction(
  sent: EndedPrediction,
): SucceededPrediction | FailedPrediction | CanceledPrediction;
export function toPrediction(sent: WirePrediction): Prediction;
export function toPrediction(sent: WirePrediction | EndedPrediction): Prediction {
  const { id, created_at: createdAt } = sent;
  const webhook = 'webhook' in sent && sent.webhook;
  const base = { id, createdAt, ...(webhook && { webhook }) };
  switch (sent.status) {
    case 'succeeded': {
      const { status, completed_at: completedAt, timings } = sent;
      return { ...base, status, completedAt, ...toImages(sent, timings) } as SucceededPrediction;
    }
    case 'failed': {
      const { status, completed_at: completedAt, error } = sent;
      return { ...base, status, completedAt, error: toProblem(error) } as FailedPrediction;
    }
    case 'canceled':
      return { ...base, status: sent.status, completedAt: sent.completed_at } as CanceledPrediction;
    default:
      return { ...base, status: 'queued' } as QueuedPrediction;
  }
}

export function toList({ predictions, next_cursor: nextCursor }: WireList): PredictionList {
  const summaries = predictions.map(
    ({ created_at: createdAt, completed_at: completedAt, status_url: _, ...same }) =>
      ({ ...same, createdAt, ...(completedAt && { completedAt }) }) as PredictionList['predictions'][number],
  );
  return { predictions: summaries, ...(nextCursor && { nextCursor }) };
}

export function toProblem({ request_id: requestId, errors, error: _, ...problem }: WireProblem): Problem {
  if (!errors) return { ...problem, requestId };
  const named = errors.map(({ field, message }) => ({ field: inputName(field), message }));
  return { ...problem, requestId, errors: named };
}

/** What is wrong, with the input's own names. */
export function problemMessage({ detail, errors }: Problem): string {
  if (!errors || errors.length === 0) return detail;
  return errors.map(({ field, message }) => (field === '' ? message : `${field}: ${message}`)).join('; ');
}

export function toHealth({ waking_for: wakingFor, ...health }: WireHealth): Health {
  return { ...health, ...(wakingFor === undefined ? {} : { wakingFor }) } as Health;
}
