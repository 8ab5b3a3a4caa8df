import { AppError } from '../../errors/app-error.js';
import type { RequestRecord, ResultRecord } from '../../schemas/prediction.js';
import type { Problem } from '../../schemas/problem.js';
import { toStore } from '../records/kept-pictures.js';
import type { Services } from '../services.js';

/**
 * Writes how a prediction ended, unless it has ended already, and has its webhook told.
 *
 * @throws AppError where the store or the queue fails
 */
export async function conclude(
  record: RequestRecord,
  result: ResultRecord,
  services: Services,
): Promise<void> {
  const { store, onEvent } = services;
  const { stored, pictures } = split(record, result);
  if (await store.createResult(record.id, stored, pictures))
    onEvent({ kind: 'ended', status: result.status });
  await finish(record, services);
}

function split(record: RequestRecord, result: ResultRecord) {
  if (result.status !== 'succeeded') return { stored: result, pictures: [] };
  const { answer, pictures } = toStore(record, result.answer);
  return { stored: { ...result, answer }, pictures };
}

/**
 * Ends a prediction without a picture, unless it has ended already.
 *
 * @returns why, as its caller is told
 * @throws AppError where the store or the queue fails
 */
export async function fail(record: RequestRecord, error: unknown, services: Services): Promise<Problem> {
  const problem = services.toProblem(error, record.request_id);
  await conclude(record, { status: 'failed', completed_at: timestamp(services), error: problem }, services);
  return problem;
}

/** A prediction has ended: its webhook is told, unless it has been. */
export async function finish({ id, webhook }: RequestRecord, { store, queue }: Services): Promise<void> {
  if (webhook === undefined || (await store.readWebhook(id))) return;
  try {
    await queue.send({ kind: 'webhook', id, attempts: 0 });
  } catch (error) {
    // A worker that pulls, set up without somebody who tells webhooks.
    if (!(error instanceof AppError && error.code === 'UNSUPPORTED')) throw error;
    await store.createWebhook(id, { status: 'failed', attempts: 0, error: error.message });
  }
}

export function timestamp({ clock }: Pick<Services, 'clock'>): string {
  return new Date(clock.now()).toISOString();
}
