import { storedKey, storeKey } from '../service/stored-key.js';
import { showAnswer, showTrouble } from './show-answer.js';

/** An operation that can be sent from the reference. The API has written the form: describe-operation's `tryIt`. */
export class TryIt {
  readonly #form: HTMLFormElement;
  readonly #button: HTMLButtonElement;
  readonly #answer: HTMLElement;
  readonly #request: { readonly method: string; readonly path: string };
  #running: AbortController | undefined;

  constructor(element: HTMLDetailsElement) {
    this.#form = part(element, 'form', HTMLFormElement);
    this.#button = part(element, 'button', HTMLButtonElement);
    this.#answer = part(element, '.answer', HTMLElement);
    const { method = '', path = '' } = element.dataset;
    this.#request = { method, path };
    element.hidden = false;
    element.addEventListener('toggle', () => this.#fillKey());
    this.#form.addEventListener('input', ({ target }) => {
      if (target instanceof HTMLInputElement && target.name === 'key') storeKey(target.value.trim());
    });
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      if (this.#running) this.#running.abort();
      else void this.#send();
    });
  }

  /** Another form, or the playground, may have got one meanwhile. */
  #fillKey(): void {
    const input = this.#form.elements.namedItem('key');
    if (input instanceof HTMLInputElement) input.value = storedKey();
  }

  async #send(): Promise<void> {
    this.#running = new AbortController();
    this.#button.textContent = 'Cancel';
    this.#answer.ariaBusy = 'true';
    const started = performance.now();
    try {
      const response = await fetch(this.#url(), this.#init(this.#running.signal));
      await showAnswer(this.#answer, response, performance.now() - started);
    } catch {
      const cancelled = this.#running.signal.aborted;
      showTrouble(this.#answer, cancelled ? 'Cancelled.' : 'The service cannot be reached.');
    } finally {
      this.#running = undefined;
      this.#button.textContent = 'Send';
      this.#answer.ariaBusy = null;
    }
  }

  #init(signal: AbortSignal): RequestInit {
    const body = this.#form.elements.namedItem('body');
    const headers = new Headers(this.#values('header'));
    const key = this.#form.elements.namedItem('key');
    if (key instanceof HTMLInputElement) headers.set('x-api-key', key.value.trim());
    if (!(body instanceof HTMLTextAreaElement)) return { method: this.#request.method, headers, signal };
    headers.set('content-type', 'application/json');
    return { method: this.#request.method, headers, body: body.value, signal };
  }

  /** The reference stands beside the service's other paths. */
  #url(): URL {
    const inPath = new Map(this.#values('path'));
    const path = this.#request.path.replace(/\{(\w+)\}/g, (_, name) =>
      encodeURIComponent(inPath.get(name) ?? ''),
    );
    const url = new URL(path.slice(1), location.href);
    url.search = new URLSearchParams(this.#values('query')).toString();
    return url;
  }

  /** What has been filled in of those parameters. */
  #values(place: string): [name: string, value: string][] {
    const inputs = [...this.#form.querySelectorAll<HTMLInputElement>(`[data-in="${place}"]`)];
    return inputs
      .map(({ name, value }): [string, string] => [name, value.trim()])
      .filter(([, value]) => value !== '');
  }
}

function part<T extends HTMLElement>(inside: HTMLElement, selector: string, type: new () => T): T {
  const found = inside.querySelector(selector);
  if (found instanceof type) return found;
  throw new Error(`a form of the reference has no ${selector}`);
}
