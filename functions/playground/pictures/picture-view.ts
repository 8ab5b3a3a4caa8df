import { byId, make, setText } from '../dom.js';
import { plural } from '../words.js';
import { Caption } from './caption.js';
import type { Drawing } from './drawing.js';
import { showTimings } from './timing-bar.js';

/** The pictures that are looked at, with all that is known of them. */
export class PictureView {
  readonly #pictures = byId('pictures', HTMLElement);
  readonly #about = byId('about', HTMLElement);
  readonly #caption = new Caption();
  readonly #begin: (picture: Blob) => void;
  #urls: string[] = [];
  #shown: Drawing | undefined;

  /**
   * @param again called with the settings that are to be used again
   * @param begin called with the picture that is to be begun with
   */
  constructor(again: (settings: Drawing['settings']) => void, begin: (picture: Blob) => void) {
    this.#begin = begin;
    byId('again', HTMLButtonElement).addEventListener('click', () => {
      if (this.#shown) again(this.#shown.settings);
    });
  }

  get shown(): Drawing | undefined {
    return this.#shown;
  }

  show(drawing: Drawing): void {
    for (const url of this.#urls) URL.revokeObjectURL(url);
    this.#urls = drawing.images.map((image) => URL.createObjectURL(image));
    this.#shown = drawing;
    this.#pictures.replaceChildren(
      ...this.#urls.map((src, index) =>
        make('div', {}, make('img', { src, alt: alt(drawing, index) }), number(index)),
      ),
    );
    this.#pictures.dataset['count'] = String(this.#urls.length);
    this.#pictures.hidden = false;
    this.#about.hidden = false;
    const { settings, model, tokensCut, warnings = [] } = drawing;
    this.#caption.show(settings.prompt);
    byId('facts', HTMLElement).textContent = [
      `Seed ${settings.seed}`,
      plural(settings.num_steps, 'step'),
      ...(settings.strength === undefined
        ? []
        : [`from a picture, ${Math.round(settings.strength * 100)} %`]),
      settings.decoder.toUpperCase(),
      shortModel(model),
    ].join(' · ');
    const cut = `The prompt is too long: its last ${plural(tokensCut, 'token was', 'tokens were')} not used.`;
    const notices = [...(tokensCut > 0 ? [cut] : []), ...warnings];
    setText(byId('notices', HTMLElement), notices.length > 0 ? notices.join(' ') : undefined);
    offer(
      'downloads',
      'Download',
      this.#urls.map((url, index) => download(drawing, url, index)),
    );
    offer(
      'begin',
      'Begin with',
      drawing.images.map((picture) => this.#beginButton(picture)),
    );
    showTimings(drawing);
  }

  clear(): void {
    this.#shown = undefined;
    this.#pictures.hidden = true;
    this.#about.hidden = true;
  }

  #beginButton(picture: Blob): HTMLElement {
    const button = make('button', { type: 'button' }, 'Begin with this');
    button.addEventListener('click', () => this.#begin(picture));
    return button;
  }
}

function alt({ settings, images }: Drawing, index: number): string {
  const which = images.length > 1 ? `Picture ${index + 1} of ${images.length}` : 'Picture';
  return `${which}: ${settings.prompt}`;
}

function download({ settings, images }: Drawing, href: string, index: number): HTMLElement {
  const { seed, output_format } = settings;
  const several = images.length > 1;
  const extension = output_format === 'jpeg' ? 'jpg' : output_format;
  const name = `sd-turbo-${seed}${several ? `-${index}` : ''}.${extension}`;
  return make('a', { href, download: name, className: 'button' }, 'Download');
}

/** As it stands on the picture, where there are several. */
function number(index: number): HTMLElement {
  return make('span', { className: 'count', ariaHidden: 'true' }, String(index + 1));
}

/** One control as it is; of several only the numbers are seen, behind what they do, and each has its whole name. */
function offer(place: string, what: string, controls: readonly HTMLElement[]): void {
  const several = controls.length > 1;
  for (const [index, control] of several ? controls.entries() : []) {
    control.textContent = String(index + 1);
    control.ariaLabel = `${what} ${index + 1}`;
  }
  const words = several ? [make('span', { ariaHidden: 'true' }, what)] : [];
  byId(place, HTMLElement).replaceChildren(...words, ...controls);
}

/** `owner/name@commit` without most of the commit. */
function shortModel(model: string): string {
  return model.replace(/@([0-9a-f]{7})[0-9a-f]+$/, '@$1');
}
