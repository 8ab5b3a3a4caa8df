import { copyOnClick } from '../copy-text.js';
import { byId } from '../dom.js';
import type { Settings } from '../settings/settings.js';
import { LANGUAGES, type Language, snippet } from './snippets.js';

/** The example's prompt, while there is none. */
const SOME_PROMPT = 'A tree in a field under the night sky';

/** The form's request in code, as tabs. Source of the keys: ARIA Authoring Practices, "Tabs". */
export class SnippetPanel {
  readonly #service: string;
  readonly #panel = byId('snippet', HTMLElement);
  readonly #text = byId('snippet-text', HTMLElement);
  #language: Language = 'curl';
  #settings: Settings | undefined;

  constructor(service: string) {
    this.#service = service;
    // What is wider than the page is scrolled by keyboard, too.
    this.#panel.tabIndex = 0;
    for (const language of LANGUAGES) tab(language).addEventListener('click', () => this.#select(language));
    byId('tabs', HTMLElement).addEventListener('keydown', (event) => this.#move(event));
    copyOnClick(byId('copy', HTMLButtonElement), this.#text);
  }

  show(settings: Settings): void {
    this.#settings = settings;
    const { seed, ...others } = settings;
    const shown = {
      ...others,
      prompt: settings.prompt || SOME_PROMPT,
      ...(Number.isSafeInteger(seed) ? { seed } : {}),
    };
    this.#text.textContent = snippet(this.#language, this.#service, shown as Settings);
  }

  #select(language: Language): void {
    this.#language = language;
    for (const name of LANGUAGES) {
      tab(name).ariaSelected = String(name === language);
      tab(name).tabIndex = name === language ? 0 : -1;
    }
    this.#panel.setAttribute('aria-labelledby', `tab-${language}`);
    if (this.#settings) this.show(this.#settings);
  }

  #move(event: KeyboardEvent): void {
    const at = LANGUAGES.indexOf(this.#language);
    const last = LANGUAGES.length - 1;
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const language = LANGUAGES[(to + LANGUAGES.length) % LANGUAGES.length] as Language;
    this.#select(language);
    tab(language).focus();
  }
}

function tab(language: Language): HTMLButtonElement {
  return byId(`tab-${language}`, HTMLButtonElement);
}
