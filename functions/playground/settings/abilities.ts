import type { Health } from '../../../lib/client/prediction.js';
import { byId } from '../dom.js';

/** Offers what the model has, and nothing else; where nothing is known of it, all that any has. */
export function showAbilities({ decoders, encoder }: Health): void {
  if (decoders) showDecoders(decoders);
  if (encoder === undefined) return;
  byId('image-field', HTMLElement).hidden = !encoder;
  byId('begin', HTMLElement).hidden = !encoder;
}

function showDecoders(decoders: NonNullable<Health['decoders']>): void {
  const inputs = [...document.querySelectorAll<HTMLInputElement>('input[name="decoder"]')];
  const has = ({ value }: HTMLInputElement) => (decoders as readonly string[]).includes(value);
  for (const input of inputs) (input.parentElement as HTMLElement).hidden = !has(input);
  byId('decoder-field', HTMLElement).hidden = decoders.length < 2;
  const first = inputs.find(has);
  if (!first || inputs.some((input) => input.checked && has(input))) return;
  first.checked = true;
  first.dispatchEvent(new Event('input', { bubbles: true }));
}
