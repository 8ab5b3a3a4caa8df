import { AppError } from '../errors/app-error.js';
import {
  ANYBODY,
  type Prediction,
  type RequestRecord,
  type ResultRecord,
  type WebhookRecord,
} from '../schemas/prediction.js';
import type { EndedPrediction } from '../schemas/webhook.js';
import { linkAnswer, type PictureLinks } from './picture-links.js';
import type { Services } from './services.js';

const DAY_MS = 86_400_000;
/** Between two looks at the store: the first ones follow quickly, for those who just missed it. */
const UNHURRIED: Pauses = { firstMs: 100, growth: 2 };
const LONGEST_PAUSE_MS = 1_000;

/** How often one looks at the store. */
export interface Pauses {
  readonly firstMs: number;
  /** Each is so many times the one before, up to a second. */
  readonly growth: number;
}

export interface ReadPredictionProps {
  readonly id: string;
  /** Only who asked for it may see it. */
  readonly caller: string;
  /** As `PictureLinks.make`. */
  readonly baseUrl?: string;
  /** How long to wait for it to end. Milliseconds. */
  readonly waitMs: number;
  /** Ends the waiting. @default never */
  readonly signal?: AbortSignal;
}

/**
 * A prediction as it is, or as it ends within the wait.
 *
 * @throws AppError as `ownRequest`, and what the store throws of the result
 */
export async function readPrediction(props: ReadPredictionProps, services: Services): Promise<Prediction> {
  const { id, baseUrl } = props;
  const request = await ownRequest(props, services);
  const result = await awaitResult(props, services);
  const webhook = request.webhook && result ? await readOutcome(id, services) : undefined;
  const ended = result && (await toEnded(request, result, services.links, baseUrl));
  return toPrediction(request, ended, webhook);
}

/**
 * What a caller has asked for; of others' predictions there are none.
 *
 * @throws AppError NOT_FOUND where there is none, or none any more; GONE where it is known to have expired; what the
 * store throws of the request
 */
export async function ownRequest(
  { id, caller }: Pick<ReadPredictionProps, 'id' | 'caller'>,
  services: Services,
): Promise<RequestRecord> {
  const { store, retentionMs } = services;
  const request = await store.readRequest(id);
  if (!request || (request.caller !== caller && request.caller !== ANYBODY)) {
    throw new AppError(
      'NOT_FOUND',
      `there is no such prediction; results are kept for ${days(retentionMs)} and then deleted`,
    );
  }
  if (isExpired(request, services)) throw expired(services);
  return request;
}

/** How telling ended; `unknown` where its record cannot be read: that must not keep anybody from the picture. */
export async function readOutcome(
  id: string,
  { store, onEvent }: Services,
): Promise<WebhookRecord | 'unknown' | undefined> {
  try {
    return await store.readWebhook(id);
  } catch (error) {
    onEvent({ kind: 'trouble', what: `prediction ${id} is answered without its webhook`, error });
    return 'unknown';
  }
}

export interface AwaitResultProps extends Pick<ReadPredictionProps, 'id' | 'waitMs' | 'signal'> {
  /** @default 100 ms, and each twice the one before */
  readonly pauses?: Pauses;
}

/**
 * @returns undefined when there is none by then
 * @throws AppError where the last look at the store failed; those before it are made again
 */
export async function awaitResult(
  { id, waitMs, signal, pauses = UNHURRIED }: AwaitResultProps,
  { store, clock }: Services,
): Promise<ResultRecord | undefined> {
  const { firstMs, growth } = pauses;
  const end = clock.now() + waitMs;
  for (let pause = firstMs; ; pause = Math.min(LONGEST_PAUSE_MS, pause * growth)) {
    const left = end - clock.now();
    const isLast = left <= 0 || signal?.aborted === true;
    const result = await store.readResult(id).catch((error) => {
      if (isLast || !isRetryable(error)) throw error;
      return undefined;
    });
    if (result || isLast) return result;
    await clock.sleep(Math.min(pause, left), signal);
  }
}

function isRetryable(error: unknown): boolean {
  return error instanceof AppError && error.retryable;
}

/** The store deletes late, by the day: what is over is over on time all the same. */
export function isExpired(request: RequestRecord, { clock, retentionMs }: Services): boolean {
  return clock.now() > Date.parse(request.created_at) + retentionMs;
}

export function expired({ retentionMs }: Services): AppError {
  return new AppError('GONE', `this prediction has expired: results are kept for ${days(retentionMs)}`);
}

/** There will never be a picture, because its caller did not want it any more. */
export function wasCanceled(): AppError {
  return new AppError('GONE', 'this prediction was canceled: there is no picture, and there will be none');
}

/** What the world is shown of a prediction's records. */
function toPrediction(
  request: RequestRecord,
  ended: EndedPrediction | undefined,
  webhook: WebhookRecord | 'unknown' | undefined,
): Prediction {
  const { id, created_at } = request;
  const told = webhookState(request.webhook !== undefined, webhook);
  if (ended) return { ...ended, ...told };
  return { id, created_at, ...told, status: 'queued', status_url: statusPath(id) };
}

/** ... of how telling its webhook goes, as far as that is known ... */
export function webhookState(
  hasWebhook: boolean,
  webhook: WebhookRecord | 'unknown' | undefined,
): Pick<Prediction, 'webhook'> {
  if (!hasWebhook || webhook === 'unknown') return {};
  return { webhook: webhook ?? { status: 'pending', attempts: 0 } };
}

/**
 * ... and what its webhook is told.
 *
 * @param baseUrl as `PictureLinks.make`
 */
export async function toEnded(
  { id, created_at }: RequestRecord,
  result: ResultRecord,
  links: PictureLinks,
  baseUrl?: string,
): Promise<EndedPrediction> {
  const { status, completed_at } = result;
  if (status === 'canceled') return { id, created_at, status, completed_at };
  if (status === 'failed') return { id, created_at, status, completed_at, error: result.error };
  const answer = await linkAnswer(id, result.answer, links, baseUrl);
  return { id, created_at, status, completed_at, ...answer, timings: result.timings };
}

/** Where a prediction is found, below the service's own URL. */
export function statusPath(id: string): string {
  return `/predictions/${id}`;
}

function days(ms: number): string {
  const count = Math.round((ms / DAY_MS) * 10) / 10;
  return `${count} ${count === 1 ? 'day' : 'days'}`;
}
