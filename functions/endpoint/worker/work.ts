import { AppError } from '../../../lib/errors/app-error.js';
import { processMessage } from '../../../lib/predictions/process-message.js';
import type { WorkerServices } from '../../../lib/predictions/services.js';
import type { FlushedTelemetry } from '../../shared/aws/powertools-telemetry.js';
import { parseMessage } from '../../shared/aws/sqs/parse-message.js';
import { errorFields } from '../../shared/error-fields.js';
import type { Delivery, DrawQueue } from './draw-queue.js';
import { keepTrying } from './keep-trying.js';
import type { StateWriter } from './state-writer.js';

/** Who is told to stop has so long to wait for the end of a poll. SQS allows 20, for a fourth of what the requests cost. Seconds. */
const LONGEST_POLL_S = 5;
/** The last look, after readers have been told that nobody listens. Seconds. */
const LAST_POLL_S = 2;
/** So long a queue may fail before this worker does: it costs money, and another place may reach the queue. Milliseconds. */
const QUEUE_PATIENCE_MS = 600_000;
/** After a defect of ours: it counts a receive, so that it ends. Seconds. */
const DEFECT_RETRY_S = 30;

export interface WorkProps {
  readonly queue: DrawQueue;
  readonly services: WorkerServices;
  readonly telemetry: FlushedTelemetry;
  readonly state: Pick<StateWriter, 'lieDown' | 'getUp'>;
  /** So long without a message, and there is no more work. */
  readonly idleMs: number;
  /** Aborted when no further message is wanted: the one under way is finished, and one that a poll under way brings. */
  readonly stopping: AbortSignal;
}

/**
 * Draws what the queue brings, one message after the other, until none has come for a while or it is told to stop.
 *
 * @throws AppError where the queue has not answered for 10 minutes
 */
export async function work(props: WorkProps): Promise<void> {
  const { services, idleMs, stopping } = props;
  const { clock } = services;
  for (let idleAt = clock.now() + idleMs; !stopping.aborted; ) {
    const left = Math.ceil((idleAt - clock.now()) / 1000);
    const { delivery, isOver } =
      left > 0
        ? { delivery: await receive(Math.min(left, LONGEST_POLL_S), props), isOver: false }
        : await lastCall(props);
    if (delivery) {
      await handle(delivery, props);
      idleAt = clock.now() + idleMs;
    } else if (isOver) return;
  }
}

/** A request is queued before it is asked who listens: whoever was still told `ready` has sent before this last look. */
async function lastCall(props: WorkProps): Promise<{ delivery: Delivery | undefined; isOver: boolean }> {
  const isSaid = await props.state.lieDown();
  const delivery = await receive(isSaid ? LAST_POLL_S : LONGEST_POLL_S, props);
  if (delivery) props.state.getUp();
  return { delivery, isOver: isSaid };
}

function receive(waitSeconds: number, props: WorkProps): Promise<Delivery | undefined> {
  const { queue, services, telemetry, stopping } = props;
  return keepTrying(() => queue.receive(waitSeconds), {
    clock: services.clock,
    signal: stopping,
    patienceMs: QUEUE_PATIENCE_MS,
    onTrouble: (error) => telemetry.log('warn', 'the queue is asked again', errorFields(error)),
  });
}

/** Does one message, whatever it is. What cannot be said to the queue is seen when the message comes again. Never fails. */
async function handle(delivery: Delivery, props: WorkProps): Promise<void> {
  const { queue, telemetry } = props;
  const { id: message_id, receives } = delivery;
  const note = (what: string) => (error: unknown) =>
    telemetry.log('warn', what, { message_id, receives, ...errorFields(error) });
  const letGo = queue.hold(delivery, note('a message could not be kept from others'));
  try {
    // Let go before anything else is said: a sign of life that comes last would make the message wait for nothing.
    const retrySeconds = await perform(delivery, props).finally(letGo);
    const tell = () =>
      retrySeconds === undefined ? queue.done(delivery) : queue.again(delivery, retrySeconds);
    await keepTrying(tell, {
      clock: props.services.clock,
      signal: props.stopping,
      patienceMs: QUEUE_PATIENCE_MS,
      onTrouble: note('the end of a message is told again'),
    });
  } catch (error) {
    note('the end of a message could not be told')(error);
  }
  telemetry.flush();
}

/** @returns undefined where the message is done, else the seconds after which it is to come again */
async function perform(
  delivery: Delivery,
  { services, telemetry, stopping }: WorkProps,
): Promise<number | undefined> {
  const { id: message_id, receives, sentAt } = delivery;
  const fields = { message_id, receives };
  const message = parseMessage(delivery);
  if (!message) {
    telemetry.log('error', 'a message is not one of ours', fields);
    // Soon, so that it reaches the dead-letter queue: no receive will make it better.
    return 0;
  }
  const { id, kind } = message;
  telemetry.measure('QueueAgeSeconds', 'Seconds', (services.clock.now() - sentAt) / 1000);
  try {
    const verdict = await keepTrying(() => processMessage(message, services), {
      clock: services.clock,
      signal: stopping,
      onTrouble: (error) =>
        telemetry.log('warn', 'a message is worked on again', { ...fields, id, ...errorFields(error) }),
    });
    telemetry.log('info', 'message', { ...fields, id, kind, ...verdict });
    if (verdict.done) return undefined;
    telemetry.count('Predictions', 'again');
    return verdict.retrySeconds;
  } catch (error) {
    telemetry.log('error', 'a message could not be worked on', { ...fields, id, ...errorFields(error) });
    // What may pass was given up only because this worker has to go: the next one needs no pause.
    return error instanceof AppError && error.retryable ? 0 : DEFECT_RETRY_S;
  }
}
