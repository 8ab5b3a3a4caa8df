import type { ClientError } from '../../../lib/client/client-error.js';
import { wireName } from '../../../lib/schemas/input-names.js';
import type { Decoder, OutputFormat } from '../../../lib/schemas/request.js';
import { byId, setText } from '../dom.js';
import { capitalized } from '../words.js';
import { SeedField } from './seed-field.js';
import { type Settings, summary } from './settings.js';
import { StartPicture } from './start-picture.js';

interface FieldError {
  readonly field: string;
  readonly message: string;
}

const FIELDS = [
  'prompt',
  'num_steps',
  'num_images',
  'seed',
  'image',
  'strength',
  'output_format',
  'decoder',
] as const;
/** With one step alone, a picture to begin with would not be seen in the result. */
const STEPS_WITH_IMAGE = 2;
/** As wide as the page must be for two columns: style.css has the same. */
const WIDE = '(min-width: 60rem)';

/** What is asked for. */
export class SettingsForm {
  readonly #prompt = byId('prompt', HTMLTextAreaElement);
  readonly #options = byId('options', HTMLDetailsElement);
  readonly #summary = byId('options-state', HTMLElement);
  readonly #seed: SeedField;
  readonly #start: StartPicture;
  readonly #changed: () => void;

  /** @param changed called after every change */
  constructor(changed: () => void) {
    this.#changed = () => {
      this.#start.steps = Number(checked('num_steps'));
      this.#summary.textContent = summary(this.settings);
      changed();
    };
    this.#seed = new SeedField(() => this.#changed());
    this.#start = new StartPicture(() => {
      if (this.#start.value && checked('num_steps') === '1') check('num_steps', STEPS_WITH_IMAGE);
      this.#changed();
    });
    byId('form', HTMLFormElement).addEventListener('input', (event) => {
      this.#forget(event.target as HTMLElement);
      this.#changed();
    });
    this.#options.open = matchMedia(WIDE).matches;
    this.#summary.textContent = summary(this.settings);
  }

  get settings(): Settings {
    return {
      prompt: this.#prompt.value.trim(),
      num_steps: Number(checked('num_steps')),
      seed: this.#seed.value,
      num_images: Number(checked('num_images')),
      output_format: checked('output_format') as OutputFormat,
      decoder: checked('decoder') as Decoder,
      ...this.#start.value,
    };
  }

  set settings(settings: Settings) {
    this.prompt = settings.prompt;
    for (const name of ['num_steps', 'num_images', 'output_format', 'decoder'] as const) {
      check(name, settings[name]);
    }
    const { image, strength = 1 } = settings;
    this.#start.value = image === undefined ? undefined : { image, strength };
    if (settings.seed !== undefined) this.#seed.value = settings.seed;
    this.showErrors([]);
    this.#changed();
  }

  set prompt(text: string) {
    this.#prompt.value = text;
    this.showErrors([]);
    this.#changed();
  }

  /** Says what is wrong, as far as that can be told here. @returns whether it may be sent */
  check(): boolean {
    const { prompt, seed } = this.settings;
    const errors = [
      ...(prompt === '' ? [{ field: 'prompt', message: 'write what you would like to see' }] : []),
      ...(Number.isNaN(seed)
        ? [{ field: 'seed', message: 'must be an integer from 0 to 9007199254740991' }]
        : []),
    ];
    this.showErrors(errors);
    return errors.length === 0;
  }

  /** Puts what is wrong beside its fields, and the person to the first of them. @returns what belongs to no field */
  showErrors(errors: readonly FieldError[]): FieldError[] {
    for (const field of FIELDS) {
      const messages = errors
        .filter((error) => error.field === field)
        .map(({ message }) => capitalized(message));
      setText(
        byId(`${field}-error`, HTMLElement),
        messages.length > 0 ? `${messages.join('. ')}.` : undefined,
      );
      for (const input of inputs(field)) input.ariaInvalid = messages.length > 0 ? 'true' : null;
    }
    const first = FIELDS.find((field) => errors.some((error) => error.field === field));
    if (first !== undefined) {
      if (first !== 'prompt') this.#options.open = true;
      const [input] = inputs(first);
      input?.focus();
    }
    return errors.filter(({ field }) => !(FIELDS as readonly string[]).includes(field));
  }

  /** Shows which seed was drawn with. */
  noteSeed(seed: number): void {
    this.#seed.note(seed);
  }

  /** Takes a picture to begin with. */
  async begin(picture: Blob | undefined): Promise<void> {
    this.#options.open = true;
    await this.#start.take(picture);
  }

  focus(): void {
    this.#prompt.focus();
  }

  /** What is being changed is not wrong any more, until it is sent again. */
  #forget(target: HTMLElement): void {
    const field = target.getAttribute('name') ?? target.id;
    if (!(FIELDS as readonly string[]).includes(field)) return;
    setText(byId(`${field}-error`, HTMLElement), undefined);
    for (const input of inputs(field)) input.ariaInvalid = null;
  }
}

/** What the service has said of fields: the form has the names of the wire. */
export function toFormErrors({ problem }: ClientError): FieldError[] {
  return (problem?.errors ?? []).map(({ field, message }) => ({ field: wireName(field), message }));
}

function inputs(field: string): (HTMLInputElement | HTMLTextAreaElement)[] {
  const own = document.getElementById(field);
  return own instanceof HTMLInputElement || own instanceof HTMLTextAreaElement ? [own] : radios(field);
}

function radios(name: string): HTMLInputElement[] {
  return [...document.querySelectorAll<HTMLInputElement>(`input[name="${name}"]`)];
}

function check(name: string, value: string | number): void {
  for (const input of radios(name)) input.checked = input.value === String(value);
}

function checked(name: string): string {
  return radios(name).find((input) => input.checked)?.value ?? '';
}
