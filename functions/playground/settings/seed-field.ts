import { byId } from '../dom.js';

/** The seed: another one each time while it is unlocked, the same one while it is locked. */
export class SeedField {
  readonly #input = byId('seed', HTMLInputElement);
  readonly #lock = byId('lock', HTMLButtonElement);
  readonly #hint = byId('seed-hint', HTMLElement);
  readonly #changed: () => void;

  /** @param changed called when the person has changed it */
  constructor(changed: () => void) {
    this.#changed = changed;
    this.#input.addEventListener('input', () => this.#setLocked(this.#input.value.trim() !== ''));
    this.#lock.addEventListener('click', () => {
      if (this.#input.value.trim() === '') this.#input.value = randomSeed();
      this.#setLocked(!this.#isLocked);
    });
    byId('shuffle', HTMLButtonElement).addEventListener('click', () => {
      this.#input.value = randomSeed();
      this.#setLocked(true);
    });
  }

  /** @returns undefined for a random one, NaN for what is no seed */
  get value(): number | undefined {
    if (!this.#isLocked) return undefined;
    const text = this.#input.value.trim();
    const seed = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    return Number.isSafeInteger(seed) ? seed : Number.NaN;
  }

  /** Locks it to a seed. */
  set value(seed: number) {
    this.#input.value = String(seed);
    this.#setLocked(true);
  }

  /** Shows which seed was drawn with, so that it can be locked. */
  note(seed: number): void {
    if (!this.#isLocked) this.#input.value = String(seed);
  }

  get #isLocked(): boolean {
    return this.#lock.ariaPressed === 'true';
  }

  #setLocked(locked: boolean): void {
    this.#lock.ariaPressed = String(locked);
    this.#hint.textContent = locked
      ? 'Locked: the same prompt gives the same picture.'
      : 'Unlocked: another one each time.';
    this.#changed();
  }
}

/** Short enough to be read out, as the service's own; every one up to 2^53-1 may be typed. */
function randomSeed(): string {
  return String(crypto.getRandomValues(new Uint32Array(1))[0]);
}
