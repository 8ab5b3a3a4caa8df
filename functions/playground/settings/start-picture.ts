import { byId, setText } from '../dom.js';
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

  /** @param changed called when the person has changed it */
  constructor(changed: () => void) {
    this.#changed = changed;
    this.#file.addEventListener('change', () => void this.take(this.#file.files?.[0]));
    this.#strength.addEventListener('input', () => {
      this.#wanted = Number(this.#strength.value);
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

  /** With less than one whole step the picture would stay as it is. */
  set steps(steps: number) {
    this.#strength.min = String(Math.ceil(100 / steps) / 100);
    this.#show();
  }

  /** @param file nothing happens without one */
  async take(file: Blob | undefined): Promise<void> {
    if (!file) return;
    const refuse = (why: string) => setText(byId('image-error', HTMLElement), why);
    try {
      const format = await readFormat(file);
      if (!format) return refuse('It must be a PNG, JPEG or WebP picture.');
      this.value = { image: await shrinkPicture(file, format), strength: this.#wanted };
    } catch {
      refuse('This browser cannot read that as a picture.');
    }
  }

  #show(): void {
    this.#strength.value = String(Math.max(this.#wanted, Number(this.#strength.min)));
    const has = this.#image !== undefined;
    this.#preview.hidden = !has;
    if (this.#image !== undefined) this.#preview.src = this.#image;
    this.#remove.hidden = !has;
    byId('strength-field', HTMLElement).hidden = !has;
    const percent = `${Math.round(Number(this.#strength.value) * 100)} %`;
    byId('strength-value', HTMLOutputElement).value = percent;
    this.#strength.ariaValueText = percent;
  }
}
