import { byId } from '../dom.js';

/** The prompt below its picture: some lines of it, and the rest where somebody asks for it. */
export class Caption {
  readonly #text = byId('caption', HTMLElement);
  readonly #all = byId('caption-all', HTMLButtonElement);

  constructor() {
    this.#all.addEventListener('click', () => this.#open(!this.#isOpen));
    // How many lines it takes is known when it is seen, and changes with the window.
    new ResizeObserver(() => this.#offer()).observe(this.#text);
  }

  show(prompt: string): void {
    this.#text.textContent = prompt;
    this.#open(false);
  }

  get #isOpen(): boolean {
    return this.#all.ariaExpanded === 'true';
  }

  #open(isOpen: boolean): void {
    this.#all.ariaExpanded = String(isOpen);
    this.#all.textContent = isOpen ? 'Less of the prompt' : 'Whole prompt';
    this.#text.classList.toggle('whole', isOpen);
    this.#offer();
  }

  #offer(): void {
    this.#all.hidden = !this.#isOpen && this.#text.scrollHeight <= this.#text.clientHeight;
  }
}
