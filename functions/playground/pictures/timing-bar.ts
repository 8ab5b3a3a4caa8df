import { byId, make } from '../dom.js';
import { duration } from '../words.js';
import type { Drawing } from './drawing.js';

interface Part {
  /** Of its colour. */
  readonly name: string;
  readonly label: string;
  readonly milliseconds: number;
}

/** Less than this is said to be nothing. */
const LEAST_MS = 0.05;

const PHASES: readonly (readonly [name: string, label: string])[] = [
  ['waiting', 'Waiting'],
  ['queue', 'Queue'],
  ['load', 'Load'],
  ['text_encoder', 'Text'],
  ['encoder', 'Encode'],
  ['unet', 'UNet'],
  ['decoder', 'Decode'],
  ['encode', 'File'],
];

/** Where the time went; `timings` has the endpoint's phases and the service's `total`. */
export function timingParts({ timings, elapsed }: Pick<Drawing, 'timings' | 'elapsed'>): Part[] {
  const phases = PHASES.flatMap(([name, label]) => {
    const milliseconds = timings[name];
    return milliseconds === undefined ? [] : [{ name, label, milliseconds }];
  });
  if (phases.length === 0) return [{ name: 'queue', label: 'Waiting and drawing', milliseconds: elapsed }];
  const drawn = phases.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const total = Math.max(drawn, timings['total'] ?? drawn);
  const around = [
    { name: 'service', label: 'Service', milliseconds: total - drawn },
    { name: 'network', label: 'Network', milliseconds: elapsed - total },
  ];
  return [...phases, ...around.filter(({ milliseconds }) => milliseconds > LEAST_MS)];
}

/** The bar, and the same in words. */
export function showTimings(drawing: Drawing): void {
  const parts = timingParts(drawing);
  byId('bar', HTMLElement).replaceChildren(...parts.map(segment));
  byId('legend', HTMLElement).replaceChildren(...parts.map(entry));
  byId('timings-title', HTMLElement).textContent = `${duration(drawing.elapsed)} from click to picture`;
}

function segment({ name, milliseconds }: Part): HTMLElement {
  const element = make('span', { className: name });
  // Not an attribute: those are inline styles, which the page's policy forbids.
  element.style.flexGrow = String(milliseconds);
  return element;
}

function entry({ name, label, milliseconds }: Part): HTMLElement {
  const swatch = make('span', { className: `swatch ${name}` });
  swatch.ariaHidden = 'true';
  return make('li', {}, swatch, `${label} `, make('b', {}, duration(milliseconds)));
}
