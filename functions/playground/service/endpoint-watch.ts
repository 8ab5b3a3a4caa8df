import type { Client } from '../../../lib/client/client.js';
import type { Health } from '../../../lib/client/prediction.js';
import { byId } from '../dom.js';
import { showAbilities } from '../settings/abilities.js';
import { showVocabulary } from '../settings/vocabulary-fold.js';
import { roughly } from '../words.js';

/** While it wakes. Milliseconds. */
const POLL_MS = 4_000;
/** While nothing happens and somebody looks: asking costs a read or two, and wakes nothing. Milliseconds. */
const IDLE_POLL_MS = 30_000;
/** So long a stream of events may say nothing: a phase of a wake takes a while. Milliseconds. */
const SILENCE_MS = 30_000;
/** What does not answer by then cannot be reached: a network may swallow a request for minutes. Milliseconds. */
const PATIENCE_MS = 10_000;

/** The endpoint's state at the top of the page. */
export class EndpointWatch {
  readonly #state = byId('endpoint', HTMLElement);
  readonly #text = byId('endpoint-text', HTMLElement);
  readonly #wake = byId('wake', HTMLButtonElement);
  readonly #health: Client['health'];
  #timer = 0;
  /** Whether a request waits for it. */
  #isWanted = false;
  #listener: (health: Health) => void = () => undefined;

  constructor({ health }: Pick<Client, 'health'>, wake: () => Promise<Health>) {
    this.#health = health;
    this.#wake.addEventListener('click', () => void this.#wakeUp(wake));
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) void this.look();
    });
    for (const change of ['online', 'offline']) addEventListener(change, () => void this.look());
    void this.look();
  }

  /** Tells of every state until the returned function is called. */
  follow(listener: (health: Health) => void): () => void {
    this.#isWanted = true;
    this.#listener = listener;
    return () => {
      this.#isWanted = false;
      this.#listener = () => undefined;
      void this.look();
    };
  }

  async look(): Promise<void> {
    clearTimeout(this.#timer);
    const health = await this.#health({ signal: AbortSignal.timeout(PATIENCE_MS) }).catch(() => undefined);
    this.show(health);
    if (document.hidden) return;
    const isMoving = this.#isWanted || health?.state === 'waking';
    this.#lookAgainIn(isMoving ? POLL_MS : IDLE_POLL_MS);
  }

  /** Somebody else follows it, and has been told this: it is asked only when nothing more is heard for a while. */
  hear(health: Health): void {
    this.show(health);
    this.#lookAgainIn(SILENCE_MS);
  }

  /** @param health undefined where the service cannot be reached */
  show(health: Health | undefined): void {
    this.#state.dataset['state'] = health?.state ?? 'lost';
    this.#text.textContent = describe(health);
    this.#wake.hidden = health?.state !== 'asleep' || this.#isWanted;
    if (!health) return;
    showVocabulary(health);
    showAbilities(health);
    this.#listener(health);
  }

  #lookAgainIn(milliseconds: number): void {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.look(), milliseconds);
  }

  async #wakeUp(wake: () => Promise<Health>): Promise<void> {
    this.#wake.hidden = true;
    await wake().then(
      (health) => this.show(health),
      () => undefined,
    );
    await this.look();
  }
}

function describe(health: Health | undefined): string {
  switch (health?.state) {
    case undefined:
      return 'Cannot be reached';
    case 'ready':
      return 'Ready';
    case 'asleep':
      return 'Asleep';
    case 'waking':
      return health.estimate ? `Waking, ${roughly(health.estimate)} left` : 'Waking';
    case 'failed':
      return health.detail ? `Failed: ${health.detail}` : 'Failed';
  }
}
