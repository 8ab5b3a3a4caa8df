import type { EndpointStatus } from '../../../lib/schemas/endpoint-status.js';
import { aboutModel } from '../../../lib/schemas/model-about.js';
import {
  WORKER_FRESH_MS,
  WORKER_STATE_KEY,
  type WorkerPhase,
  type WorkerState,
} from '../../../lib/schemas/worker-state.js';
import type { S3Records, StoredRecord } from '../../shared/aws/s3/s3-records.js';
import { parseStored } from '../../shared/parse-stored.js';

/** A quarter of what the readers believe. */
const BEAT_MS = 15_000;
/** By so much the clocks of two machines may differ. */
const SKEW_MS = 15_000;
/** As the schema has it. Characters. */
const MAX_ERROR = 2_000;

export interface StateWriterProps {
  readonly records: Pick<S3Records, 'read' | 'write'>;
  readonly worker: Pick<WorkerState, 'worker' | 'started_at' | 'booted_at'>;
  /** What the model says of itself. */
  readonly status: () => EndpointStatus;
  /** Told of what could not be written. */
  readonly onTrouble: (error: unknown) => void;
  /** Milliseconds since 1970. @default Date.now */
  readonly now?: () => number;
}

/**
 * Tells in `worker.json` what this worker is at. Several overwrite each other's: whoever is ready says so again within
 * 15 s. Writes follow one another, so that the object never goes back to what was true before.
 */
export class StateWriter {
  readonly #props: StateWriterProps;
  readonly #now: () => number;
  /** What the model does not know of. */
  #phase: Extract<WorkerPhase, 'stopping' | 'failed'> | undefined;
  #error: string | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #isWriting = false;
  /** When it was last tried to say anything but `stopping`: what failed here may have arrived there. */
  #saidAt = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(props: StateWriterProps) {
    this.#props = props;
    this.#now = props.now ?? Date.now;
  }

  /** Says what is true now, and again every 15 s. */
  start(): void {
    this.tell();
    this.#timer = setInterval(() => this.#beat(), BEAT_MS);
  }

  /** Says what is true now. Nobody needs to wait for it: the next heartbeat makes up for a failure. */
  tell(): Promise<void> {
    const state = this.#state();
    return this.#inTurn(async () => {
      this.#saidAt = this.#now();
      await this.#props.records.write(WORKER_STATE_KEY, state).catch(this.#props.onTrouble);
    });
  }

  /** The last words before an exit with 1. */
  async fail(error: unknown): Promise<void> {
    clearInterval(this.#timer);
    this.#phase = 'failed';
    this.#error = error instanceof Error ? error.message : String(error);
    await this.tell();
  }

  /**
   * Says that nobody listens from now on, where nobody else has said anything since: another worker may well listen.
   *
   * @returns whether nobody believes any more that this one listens; false where the store does not answer
   */
  async lieDown(): Promise<boolean> {
    this.#phase = 'stopping';
    let isSaid = false;
    await this.#inTurn(async () => {
      isSaid = await this.#replaceOwn().catch((error) => {
        this.#props.onTrouble(error);
        return this.#now() - this.#saidAt > WORKER_FRESH_MS + SKEW_MS;
      });
    });
    return isSaid;
  }

  /** Work has come after all. */
  getUp(): void {
    this.#phase = undefined;
    this.tell();
  }

  /** Ends the heartbeats. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#last;
  }

  #beat(): void {
    // What lies down says nothing new, and what cannot be written now is not to pile up.
    if (this.#phase === undefined && !this.#isWriting) this.tell();
  }

  async #replaceOwn(): Promise<boolean> {
    const { records } = this.#props;
    for (;;) {
      const stored = await records.read(WORKER_STATE_KEY);
      if (!stored || !this.#isOwn(stored)) return true;
      // Where it has been replaced meanwhile, it is looked at again: a write of ours may have been late.
      if (await records.write(WORKER_STATE_KEY, this.#state(), { IfMatch: stored.etag })) return true;
    }
  }

  #isOwn({ bytes }: StoredRecord): boolean {
    const { worker, started_at } = this.#props.worker;
    try {
      const stored = Object(parseStored(bytes, WORKER_STATE_KEY)) as Partial<WorkerState>;
      return stored.worker === worker && stored.started_at === started_at;
    } catch {
      return false;
    }
  }

  #state(): WorkerState {
    const { worker, status } = this.#props;
    const said = status();
    const { state, bytes_done, bytes_total, seconds, error = this.#error } = said;
    return {
      ...worker,
      phase: this.#phase ?? state,
      updated_at: new Date(this.#now()).toISOString(),
      bytes_done,
      bytes_total,
      seconds,
      model: null,
      ...aboutModel(said),
      ...(error !== undefined && { error: error.slice(0, MAX_ERROR) }),
    };
  }

  #inTurn(write: () => Promise<void>): Promise<void> {
    const turn = this.#last.then(async () => {
      this.#isWriting = true;
      await write();
      this.#isWriting = false;
    });
    this.#last = turn;
    return turn;
  }
}
