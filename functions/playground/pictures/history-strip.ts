import { byId, make } from '../dom.js';
import type { Drawing } from './drawing.js';
import { type DrawingStore, MAX_DRAWINGS } from './drawing-store.js';

/** The pictures of this browser, to be looked at again. */
export class HistoryStrip {
  readonly #store: DrawingStore;
  readonly #choose: (drawing: Drawing) => void;
  readonly #section = byId('history', HTMLElement);
  readonly #strip = byId('strip', HTMLElement);
  #urls: string[] = [];

  constructor(store: DrawingStore, choose: (drawing: Drawing) => void) {
    this.#store = store;
    this.#choose = choose;
    const place = store.isLasting ? 'in this browser' : 'until this page is closed';
    byId('history-note', HTMLElement).textContent = `The last ${MAX_DRAWINGS} are kept ${place} only.`;
    byId('clear', HTMLButtonElement).addEventListener('click', () => void this.#clear());
    this.#render();
  }

  async add(drawing: Drawing): Promise<void> {
    await this.#store.add(drawing);
    this.#render();
  }

  /** Only what is gone disappears. */
  async #clear(): Promise<void> {
    await this.#store.clear();
    this.#render();
    byId('prompt', HTMLElement).focus();
  }

  #render(): void {
    for (const url of this.#urls) URL.revokeObjectURL(url);
    this.#urls = [];
    const { drawings } = this.#store;
    this.#section.hidden = drawings.length === 0;
    this.#strip.replaceChildren(...drawings.map((drawing) => make('li', {}, this.#button(drawing))));
  }

  #button(drawing: Drawing): HTMLElement {
    const { settings, images } = drawing;
    const [first] = images;
    const src = first ? URL.createObjectURL(first) : '';
    this.#urls.push(src);
    const title = `${settings.prompt} (seed ${settings.seed})`;
    const button = make(
      'button',
      { type: 'button', title },
      make('img', { src, alt: `Show: ${title}`, loading: 'lazy' }),
    );
    if (images.length > 1)
      button.append(make('span', { className: 'count', ariaHidden: 'true' }, String(images.length)));
    button.addEventListener('click', () => this.#choose(drawing));
    return button;
  }
}
