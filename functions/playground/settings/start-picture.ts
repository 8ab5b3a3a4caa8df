import { byId, setText } from '../dom.js';
import { plural } from '../words.js';
import { readFormat, shrinkPicture } from './shrink-picture.js';

export interface Start {
  /** A data URL. */
  readonly image: string;
  /** Above 0, at most 1: the part of the steps that is done. */
  readonly strength: number;
}

/** The picture to begin with, where there is one: chosen, dropped, pasted, or drawn here. */
export class StartPicture {
  readonly #file = byId('image', HTMLInputElement);
  readonly #preview = byId('image-preview', HTMLImageElement);
  readonly #remove = byId('image-remove', HTMLButtonElement);
  readonly #strength = byId('strength', HTMLInputElement);
  readonly #changed: () => void;
  #image: string | undefined;
  /** What was asked for; fewer steps may not permit it. */
  #wanted = Number(this.#strength.value);
  /** With less than one whole step the picture would stay as it is. */
  #least = 0;

  /** @param changed called when the person has changed it */
  constructor(changed: () => void) {
    this.#changed = changed;
    this.#file.addEventListener('change', () => void this.take(this.#file.files?.[0]));
    this.#strength.addEventListener('input', () => {
      this.#wanted = Math.max(this.#least, Number(this.#strength.value));
      this.#show();
    });
    this.#remove.addEventListener('click', () => {
      this.value = undefined;
      this.#file.focus();
    });
    document.addEventListener('paste', ({ clipboardData }) => void this.take(clipboardData?.files[0]));
    document.addEventListener('dragover', (event) => event.preventDefault());
    document.addEventListener('drop', (event) => {
      event.preventDefault();
      void this.take(event.dataTransfer?.files[0]);
    });
  }

  get value(): Start | undefined {
    return this.#image === undefined
      ? undefined
      : { image: this.#image, strength: Number(this.#strength.value) };
  }

  set value(start: Start | undefined) {
    this.#image = start?.image;
    if (start) this.#wanted = start.strength;
    else this.#file.value = '';
    setText(byId('image-error', HTMLElement), undefined);
    this.#show();
    this.#changed();
  }

  set steps(steps: number) {
    this.#least = Math.ceil(100 / steps) / 100;
    const least = `at least ${percent(this.#least)} in ${plural(steps, 'step')}`;
    byId('strength-least', HTMLElement).textContent = least;
    this.#show();
  }

  /** @param file nothing happens without one */
  async take(file: Blob | undefined): Promise<void> {
    if (!file) return;
    const refuse = (why: string) => setText(byId('image-error', HTMLElement), why);
    if (byId('image-field', HTMLElement).hidden) return;
    try {
      const format = await readFormat(file);
      if (!format) return refuse('It must be a PNG, JPEG or WebP picture.');
      this.value = { image: await shrinkPicture(file, format), strength: this.#wanted };
    } catch {
      refuse('This browser cannot read that as a picture.');
    }
  }

  #show(): void {
    // The whole scale from 0 to 1, so that the knob stands where the number says.
    this.#strength.value = String(Math.max(this.#wanted, this.#least));
    const has = this.#image !== undefined;
    this.#preview.hidden = !has;
    if (this.#image !== undefined) this.#preview.src = this.#image;
    this.#remove.hidden = !has;
    byId('strength-field', HTMLElement).hidden = !has;
    const part = percent(Number(this.#strength.value));
    byId('strength-value', HTMLOutputElement).value = part;
    this.#strength.ariaValueText = part;
  }
}

function percent(part: number): string {
  return `${Math.round(part * 100)} %`;
}
