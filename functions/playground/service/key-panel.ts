import { byId, setText } from '../dom.js';
import { storedKey, storeKey } from './stored-key.js';

/** The API key, for as long as the tab is open. */
export class KeyPanel {
  readonly #fold = byId('key-fold', HTMLDetailsElement);
  readonly #input = byId('key', HTMLInputElement);
  readonly #state = byId('key-state', HTMLElement);
  readonly #error = byId('key-error', HTMLElement);

  constructor() {
    const given = takeFromAddress();
    if (given !== undefined) storeKey(given);
    this.#input.value = storedKey();
    this.#input.addEventListener('input', () => {
      storeKey(this.key);
      this.#show(undefined);
    });
    this.#fold.open = this.key === '';
    this.#show(undefined);
  }

  get key(): string {
    return this.#input.value.trim();
  }

  /** Asks for a key, or for another one. */
  refuse(message: string): void {
    this.#fold.open = true;
    this.#show(message);
    this.#input.focus();
    this.#input.select();
  }

  /** It has been good. */
  accept(): void {
    this.#show(undefined);
    if (document.activeElement !== this.#input) this.#fold.open = false;
  }

  #show(error: string | undefined): void {
    setText(this.#error, error);
    this.#input.ariaInvalid = error === undefined ? null : 'true';
    const state = this.key === '' ? 'needed' : error === undefined ? 'set for this tab' : 'not taken';
    this.#state.textContent = state;
    this.#fold.dataset['state'] = state === 'set for this tab' ? 'set' : 'missing';
  }
}

/** `#key=…`, as `sd-turbo serve` prints it: what is after `#` is never sent. It does not stay in the address. */
function takeFromAddress(): string | undefined {
  const key = new URLSearchParams(location.hash.slice(1)).get('key');
  if (key === null) return undefined;
  history.replaceState(null, '', location.pathname + location.search);
  return key.trim();
}
