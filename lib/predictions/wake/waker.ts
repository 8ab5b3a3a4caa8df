import type { Health } from '../../schemas/health.js';
import type { Endpoint } from '../endpoint.js';
import { NEVER_WOKEN, type WakeEntry, type WakeLog, type WakeRecord } from './wake-log.js';

/** So long SageMaker's own answer to a wake lags behind. Milliseconds. */
const SAGEMAKER_SETTLES = 120_000;
/** So long one process does not even look into the log again. Milliseconds. */
const QUIET_MS = 5_000;
/** So often in a row the endpoint is woken again that went to sleep with work left, and drew nothing in between. */
const MAX_RESTARTS = 3;
/** How many wakes the estimate rests on. */
const RECENT = 5;
/**
 * Expected, not measured: AWS keeps containers cached since June 2026, and reported 134 s at the median on ml.g4dn.xlarge
 * with an image 15 times this one's size; the weights come on top. Seconds.
 */
const SAGEMAKER_WAKE = 150;

export interface WakerProps {
  readonly endpoint: Pick<Endpoint, 'wake' | 'state'>;
  readonly log: WakeLog;
  /** Milliseconds since 1970. @default Date.now */
  readonly now?: () => number;
  /** Of a wake's length, before any has been seen. Seconds. @default 150, SageMaker's */
  readonly firstEstimate?: number | undefined;
  /** So long nobody asks the backend again after a wake. Milliseconds. @default 120,000, SageMaker's */
  readonly settleMs?: number | undefined;
}

/** Wakes the endpoint once per sleep, however many requests find it asleep, and knows how long that takes. */
export class Waker {
  readonly #endpoint: WakerProps['endpoint'];
  readonly #log: WakeLog;
  readonly #now: () => number;
  readonly #firstEstimate: number;
  readonly #settleMs: number;
  #quietUntil = 0;
  /** Under way in this process. */
  #asking: Promise<boolean> | undefined;
  /** Whether this process has found the endpoint asleep since it last found it awake. */
  #sawCold = false;

  constructor(props: WakerProps) {
    const { endpoint, log, now = Date.now, firstEstimate = SAGEMAKER_WAKE } = props;
    this.#endpoint = endpoint;
    this.#log = log;
    this.#now = now;
    this.#firstEstimate = firstEstimate;
    this.#settleMs = props.settleMs ?? SAGEMAKER_SETTLES;
  }

  /**
   * Somebody found no capacity.
   *
   * @returns whether this call has woken the endpoint; false where a wake is under way already
   */
  async wake(): Promise<boolean> {
    this.#sawCold = true;
    if (this.#now() < this.#quietUntil) return false;
    if (this.#asking) {
      // Whoever asks hears of its failure.
      await this.#asking.catch(() => undefined);
      return false;
    }
    this.#asking = this.#ask();
    try {
      return await this.#asking;
    } finally {
      this.#asking = undefined;
    }
  }

  /**
   * The endpoint has answered. Costs nothing unless this process had found it asleep.
   *
   * @param always look into the log all the same: whoever empties the queue may not have seen the cold answer
   * @param hasDrawn whether its answer was a picture
   * @returns how long the wake took in seconds, the first time that somebody says so
   */
  async sawReady(always = false, hasDrawn = false): Promise<number | undefined> {
    if (!this.#sawCold && !always) return undefined;
    this.#sawCold = false;
    this.#quietUntil = 0;
    const entry = await this.#log.read();
    if (!entry) return undefined;
    const { started_at, ready_at, recent_seconds, restarts = 0 } = entry.record;
    const isFirst = ready_at === null;
    if (!isFirst && !(hasDrawn && restarts > 0)) return undefined;
    const seconds = Math.max(0, this.#now() - Date.parse(started_at)) / 1000;
    const record = {
      started_at,
      ready_at: ready_at ?? new Date(this.#now()).toISOString(),
      recent_seconds: isFirst ? [seconds, ...recent_seconds].slice(0, RECENT) : recent_seconds,
      ...(hasDrawn || restarts === 0 ? {} : { restarts }),
    };
    const isWritten = await this.#log.replace(record, entry.version);
    return isFirst && isWritten ? seconds : undefined;
  }

  /**
   * The endpoint has gone to sleep although there is work for it.
   *
   * @returns whether it was woken; false where that was no help the last few times
   * @throws as the endpoint's `wake`
   */
  async wakeAgain(): Promise<boolean> {
    const entry = await this.#log.read();
    const { restarts = 0, recent_seconds = [] } = entry?.record ?? {};
    if (restarts >= MAX_RESTARTS) return false;
    const record = { ...this.#begun(recent_seconds), restarts: restarts + 1 };
    const isNoted = await this.#log.replace(record, entry?.version);
    try {
      // Also where somebody else has just noted a wake: his may be refused, as one that came a moment too early.
      await this.#endpoint.wake();
    } catch (error) {
      if (isNoted) await this.#takeBack(entry);
      throw error;
    }
    return true;
  }

  /** The endpoint's state, with an estimate while it wakes. */
  async health(): Promise<Health> {
    const health: Health = await this.#endpoint.state();
    const { state } = health;
    if (state !== 'waking' && state !== 'asleep') return health;
    const record = (await this.#log.read())?.record;
    // Asked for, and the backend does not show it yet.
    const asked = record?.ready_at === null && this.#age(record.started_at) < this.#settleMs;
    if (!record || (state === 'asleep' && !asked)) return health;
    const seconds = this.#age(record.started_at) / 1000;
    return { ...health, state: 'waking', waking_for: seconds, estimate: this.#secondsLeft(record) };
  }

  /** Seconds until a wake that is under way may be over; 0 where there is none. The backend is not asked. */
  async estimate(): Promise<number> {
    const record = (await this.#log.read())?.record;
    return record?.ready_at === null ? this.#secondsLeft(record) : 0;
  }

  async #ask(): Promise<boolean> {
    const entry = await this.#log.read();
    this.#quietUntil = this.#now() + QUIET_MS;
    if (await this.#isWaking(entry)) return false;
    const { recent_seconds = [], restarts } = entry?.record ?? {};
    const record = { ...this.#begun(recent_seconds), ...(restarts === undefined ? {} : { restarts }) };
    if (!(await this.#log.replace(record, entry?.version))) return false;
    try {
      await this.#endpoint.wake();
    } catch (error) {
      await this.#takeBack(entry);
      throw error;
    }
    return true;
  }

  #begun(recent_seconds: readonly number[]) {
    const started_at = new Date(this.#now()).toISOString();
    return { started_at, ready_at: null, recent_seconds: [...recent_seconds] };
  }

  async #isWaking(entry: WakeEntry | undefined): Promise<boolean> {
    if (!entry) return false;
    const { started_at, ready_at } = entry.record;
    // It was up, and sleeps again.
    if (ready_at !== null && this.#age(ready_at) >= QUIET_MS) return false;
    if (ready_at === null && this.#age(started_at) < this.#settleMs) return true;
    // A wake that takes long or came to nothing, or one that was over just after the endpoint was found cold.
    const { state } = await this.#endpoint.state();
    return state === 'waking' || state === 'ready';
  }

  /** A wake that could not be asked for must not keep others from asking. */
  async #takeBack(before: WakeEntry | undefined): Promise<void> {
    this.#quietUntil = 0;
    const entry = await this.#log.read();
    if (!entry) return;
    await this.#log.replace(before?.record ?? NEVER_WOKEN, entry.version);
  }

  #secondsLeft({ started_at, recent_seconds }: WakeRecord): number {
    return Math.max(0, (median(recent_seconds) ?? this.#firstEstimate) - this.#age(started_at) / 1000);
  }

  #age(since: string): number {
    return Math.max(0, this.#now() - Date.parse(since));
  }
}

function median(seconds: readonly number[]): number | undefined {
  return seconds.toSorted((a, b) => a - b)[seconds.length >> 1];
}
