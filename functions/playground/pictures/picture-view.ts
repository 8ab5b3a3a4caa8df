import { byId, make, setText } from '../dom.js';
import { plural } from '../words.js';
import type { Drawing } from './drawing.js';
import { showTimings } from './timing-bar.js';

/** The pictures that are looked at, with all that is known of them. */
export class PictureView {
  readonly #pictures = byId('pictures', HTMLElement);
  readonly #about = byId('about', HTMLElement);
  #urls: string[] = [];
  #shown: Drawing | undefined;

  /**
   * @param again called with the settings that are to be used again
   * @param begin called with the picture that is to be begun with
   */
  constructor(again: (settings: Drawing['settings']) => void, begin: (picture: Blob | undefined) => void) {
    byId('again', HTMLButtonElement).addEventListener('click', () => {
      if (this.#shown) again(this.#shown.settings);
    });
    byId('begin', HTMLButtonElement).addEventListener('click', () => begin(this.#shown?.images[0]));
  }

  get shown(): Drawing | undefined {
    return this.#shown;
  }

  show(drawing: Drawing): void {
    for (const url of this.#urls) URL.revokeObjectURL(url);
    this.#urls = drawing.images.map((image) => URL.createObjectURL(image));
    this.#shown = drawing;
    this.#pictures.replaceChildren(
      ...this.#urls.map((src, index) => make('img', { src, alt: alt(drawing, index) })),
    );
    this.#pictures.dataset['count'] = String(this.#urls.length);
    this.#pictures.hidden = false;
    this.#about.hidden = false;
    const { settings, model, tokensCut } = drawing;
    byId('caption', HTMLElement).textContent = settings.prompt;
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
    setText(byId('cut', HTMLElement), tokensCut > 0 ? cut : undefined);
    byId('downloads', HTMLElement).replaceChildren(
      ...this.#urls.map((url, index) => download(drawing, url, index)),
    );
    showTimings(drawing);
  }

  clear(): void {
    this.#shown = undefined;
    this.#pictures.hidden = true;
    this.#about.hidden = true;
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
  return make(
    'a',
    { href, download: name, className: 'button' },
    several ? `Download ${index + 1}` : 'Download',
  );
}

/** `owner/name@commit` without most of the commit. */
function shortModel(model: string): string {
  return model.replace(/@([0-9a-f]{7})[0-9a-f]+$/, '@$1');
}
