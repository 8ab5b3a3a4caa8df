import type { GenerateProgress } from '../../../lib/client/client.js';
import type { Health } from '../../../lib/client/prediction.js';
import { byId, setText } from '../dom.js';
import type { Failure } from '../service/failure.js';
import { capitalized, clock, roughly } from '../words.js';

const TICK_MS = 100;
/** A warm picture comes sooner than anybody can read what is said of it. Milliseconds. */
const PATIENCE_MS = 300;
/** So much of the bar is filled when the estimate is used up. */
const LAST = 0.96;

type Mode = 'empty' | 'work' | 'picture' | 'failure';

/** The place where the picture appears, and where it is said what happens until then. */
export class Stage {
  readonly #frame = byId('frame', HTMLElement);
  readonly #work = byId('work', HTMLElement);
  readonly #bar = byId('work-progress', HTMLProgressElement);
  readonly #steps = byId('work-steps', HTMLElement);
  readonly #left = byId('work-left', HTMLElement);
  readonly #announcement = byId('announcement', HTMLElement);
  #timer = 0;
  #started = 0;
  /** The last that is known of the endpoint, and when that was. */
  #health: { readonly health: Health; readonly at: number } | undefined;
  #isQueued = false;
  #said = '';

  begin(): void {
    this.#started = performance.now();
    this.#health = undefined;
    this.#isQueued = false;
    this.#steps.hidden = true;
    this.#say('Drawing');
    setText(byId('work-note', HTMLElement), undefined);
    setText(this.#left, undefined);
    this.#bar.removeAttribute('value');
    clearInterval(this.#timer);
    this.#timer = window.setInterval(() => this.#tick(), TICK_MS);
  }

  progress({ phase, id, health }: GenerateProgress): void {
    if (phase === 'retrying') this.#say('No answer yet, trying again');
    this.#isQueued ||= id !== undefined;
    if (health) this.see(health);
    if (id === undefined) return;
    this.#steps.hidden = false;
    setText(
      byId('work-note', HTMLElement),
      'The service keeps this request, and the picture appears here by itself. Leave this tab open.',
    );
    this.#describe();
  }

  /** What the endpoint is doing meanwhile. */
  see(health: Health): void {
    this.#health = { health, at: performance.now() };
    if (this.#isQueued) this.#describe();
  }

  show(mode: Mode): void {
    if (mode !== 'work') {
      clearInterval(this.#timer);
      this.#steps.hidden = true;
    }
    this.#frame.dataset['mode'] = mode;
    byId('empty', HTMLElement).hidden = mode !== 'empty';
    this.#work.hidden = mode !== 'work';
    byId('failure', HTMLElement).hidden = mode !== 'failure';
    this.#frame.ariaBusy = String(mode === 'work');
  }

  fail({ title, detail, hint, requestId }: Failure): void {
    this.show('failure');
    byId('failure-title', HTMLElement).textContent = title;
    setText(byId('failure-detail', HTMLElement), detail);
    setText(byId('failure-hint', HTMLElement), hint);
    setText(byId('failure-id', HTMLElement), requestId === undefined ? undefined : `Request ${requestId}`);
    this.announce([title, detail, hint].filter(Boolean).join('. '));
  }

  /** Tells it to those who do not see it. */
  announce(text: string): void {
    this.#announcement.textContent = text;
  }

  #tick(): void {
    const elapsed = performance.now() - this.#started;
    if (elapsed < PATIENCE_MS) return;
    if (this.#work.hidden) this.show('work');
    byId('work-clock', HTMLElement).textContent = clock(elapsed / 1000);
    const { health, at } = this.#health ?? { at: 0 };
    if (!this.#isQueued || health?.state !== 'waking' || !health.estimate) return;
    const since = (performance.now() - at) / 1000;
    const { wakingFor = 0, estimate } = health;
    this.#bar.value = Math.min(LAST, (wakingFor + since) / (wakingFor + estimate));
    const left = estimate - since;
    const says = left > 0 ? `${capitalized(roughly(left))} left` : 'Longer than usual';
    setText(this.#left, says);
  }

  #describe(): void {
    const health = this.#health?.health;
    const isReady = health?.state === 'ready';
    this.#say(
      isReady ? 'Drawing' : health?.state === 'failed' ? 'The endpoint has failed' : 'Waking the endpoint',
    );
    if (isReady) {
      this.#bar.removeAttribute('value');
      setText(this.#left, undefined);
    }
    const current = isReady ? 2 : 1;
    for (const [index, step] of [...this.#steps.children].entries()) {
      step.ariaCurrent = index === current ? 'step' : null;
      (step as HTMLElement).dataset['state'] = index < current ? 'done' : index === current ? 'now' : 'later';
    }
    byId('work-detail', HTMLElement).textContent = health?.detail ? ` (${health.detail})` : '';
  }

  #say(title: string): void {
    byId('work-title', HTMLElement).textContent = title;
    if (title === this.#said) return;
    this.#said = title;
    const estimate = this.#health?.health.estimate;
    this.announce(estimate && this.#isQueued ? `${title}, ${roughly(estimate)} left` : title);
  }
}
