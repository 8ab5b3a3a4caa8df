import { AppError } from '../../lib/errors/app-error.js';
import type { Message, MessageQueue } from '../../lib/predictions/message-queue.js';
import type { Verdict } from '../../lib/predictions/process-message.js';

/** As many as in AWS: with a look every 20 s at an endpoint that is asleep, 20 minutes. */
const MAX_RECEIVES = 60;
/** Before another try where the store failed, at first and at most: it may be full for hours. Seconds. */
const TROUBLE_PAUSE_S = 5;
const LONGEST_TROUBLE_PAUSE_S = 30;
/** One picture: a second would wait in the endpoint, and its patience run out. Webhooks wait for their receivers. */
const AT_WORK: Readonly<Record<Message['kind'], number>> = { predict: 1, webhook: 2, watch: 1 };

export interface LocalMessageQueueProps {
  readonly work: (message: Message) => Promise<Verdict>;
  /** Told of a message that came too often, once. */
  readonly giveUp: (message: Message) => Promise<void>;
  readonly onTrouble: (what: string, error: unknown) => void;
}

interface Entry {
  readonly message: Message;
  /** How often it has been worked on. */
  readonly receives: number;
  /** How often in a row the store has failed: no fault of the prediction, and not counted against it. */
  readonly troubles: number;
}

/**
 * Messages of this process. Nothing of it is on disk: every message can be found again from the store, which
 * has whatever a message is about before the message is sent.
 */
export class LocalMessageQueue implements MessageQueue {
  readonly #props: LocalMessageQueueProps;
  readonly #due: Record<Message['kind'], Entry[]> = { predict: [], webhook: [], watch: [] };
  readonly #delayed = new Map<Entry, NodeJS.Timeout>();
  readonly #atWork: Record<Message['kind'], Set<Promise<void>>> = {
    predict: new Set(),
    webhook: new Set(),
    watch: new Set(),
  };
  /** How often the endpoint has come up. */
  #hastened = 0;
  #closed = false;

  constructor(props: LocalMessageQueueProps) {
    this.#props = props;
  }

  async send(message: Message, delaySeconds = 0): Promise<void> {
    this.#add({ message, receives: 0, troubles: 0 }, delaySeconds);
  }

  /** The endpoint is up: predictions that wait for it need not wait on. */
  hasten(): void {
    this.#hastened++;
    for (const [entry, timer] of this.#delayed) {
      if (entry.message.kind !== 'predict') continue;
      clearTimeout(timer);
      this.#makeDue(entry);
    }
  }

  /** Takes up no more messages. Resolves when those at work are done. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#delayed.values()) clearTimeout(timer);
    await Promise.all(Object.values(this.#atWork).flatMap((works) => [...works]));
  }

  #add(entry: Entry, delaySeconds: number): void {
    if (this.#closed) return;
    const timer = setTimeout(() => this.#makeDue(entry), delaySeconds * 1000);
    this.#delayed.set(entry, timer);
  }

  #makeDue(entry: Entry): void {
    const { kind } = entry.message;
    this.#delayed.delete(entry);
    this.#due[kind].push(entry);
    this.#takeUp(kind);
  }

  #takeUp(kind: Message['kind']): void {
    const atWork = this.#atWork[kind];
    while (!this.#closed && atWork.size < AT_WORK[kind]) {
      const entry = this.#due[kind].shift();
      if (!entry) return;
      const work: Promise<void> = this.#work(entry).finally(() => {
        atWork.delete(work);
        this.#takeUp(kind);
      });
      atWork.add(work);
    }
  }

  async #work(entry: Entry): Promise<void> {
    const { message, receives } = entry;
    const { work, giveUp } = this.#props;
    const isLast = receives >= MAX_RECEIVES;
    const hastened = this.#hastened;
    try {
      const verdict: Verdict = isLast
        ? await giveUp(message).then(() => ({ done: true }))
        : await work(message);
      if (verdict.done) return;
      // It came up while this one was about to find it asleep.
      const pause = message.kind === 'predict' && hastened !== this.#hastened ? 0 : verdict.retrySeconds;
      this.#add({ message, receives: receives + 1, troubles: 0 }, pause);
    } catch (error) {
      this.#bear(entry, isLast, error);
    }
  }

  #bear({ message, receives, troubles }: Entry, isLast: boolean, error: unknown): void {
    this.#props.onTrouble(`a message of prediction ${message.id} could not be worked on`, error);
    if (error instanceof AppError && error.retryable) {
      const pause = Math.min(LONGEST_TROUBLE_PAUSE_S, TROUBLE_PAUSE_S * 2 ** troubles);
      this.#add({ message, receives, troubles: troubles + 1 }, pause);
      return;
    }
    // What cannot even be given up would come for ever.
    if (isLast && error instanceof AppError) return;
    this.#add({ message, receives: receives + 1, troubles: 0 }, TROUBLE_PAUSE_S);
  }
}
