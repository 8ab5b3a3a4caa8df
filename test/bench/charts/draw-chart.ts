import type { Times } from '../contestants.js';

export interface Bar {
  readonly name: string;
  /** Medians, milliseconds. */
  readonly times: Times;
  readonly isOurs: boolean;
}

export interface Chart {
  /** In the order in which they are drawn. */
  readonly bars: readonly Bar[];
  /** What was measured, and on which machine. */
  readonly caption: readonly string[];
}

export type Theme = keyof typeof THEMES;

/** Text, then text encoder, UNet and decoder; told apart by brightness too. */
const THEMES = {
  light: { ink: '#1f2328', faint: '#59636e', text_encoder: '#8250df', unet: '#0969da', decoder: '#80ccff' },
  dark: { ink: '#e6edf3', faint: '#9198a1', text_encoder: '#ab7df8', unet: '#1f6feb', decoder: '#a5d6ff' },
} as const;
const PHASES = ['text_encoder', 'unet', 'decoder'] as const;
const PHASE_NAMES = { text_encoder: 'text encoder', unet: 'UNet', decoder: 'decoder' } as const;

const [WIDTH, LABELS, BARS, LINE, THICK] = [760, 230, 430, 24, 14];
/** A bar that is longer than this many of our longest one is cut, or the others could not be seen. */
const LONGEST = 3;
const FONT = 'font-family="system-ui, sans-serif" font-size="12"';

/** Horizontal bars, one for each contestant, of what its networks took; the number is the whole picture's. An SVG. */
export function drawChart({ bars, caption }: Chart, theme: Theme): string {
  const colours = THEMES[theme];
  const totals = (wanted: readonly Bar[]) => wanted.map(({ times }) => times.total);
  const longest = Math.min(
    Math.max(...totals(bars)),
    LONGEST * Math.max(...totals(bars.filter(({ isOurs }) => isOurs))),
  );
  const scale = BARS / longest;
  const top = 2 * LINE;
  const height = top + bars.length * LINE + (caption.length + 1) * 16;
  const rows = bars.map((bar, index) => drawBar(bar, top + index * LINE, scale, colours));
  const notes = caption.map((line, index) =>
    text(0, top + bars.length * LINE + 20 + index * 16, line, colours.faint),
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" ${FONT}>`,
    `<title>Seconds for one picture, by network</title>`,
    ...legend(colours),
    ...rows,
    ...notes,
    '</svg>',
    '',
  ].join('\n');
}

type Colours = (typeof THEMES)[Theme];

function legend(colours: Colours): string[] {
  return PHASES.map((phase, index) => {
    const x = LABELS + index * 110;
    const square = `<rect x="${x}" y="8" width="${THICK}" height="${THICK}" fill="${colours[phase]}"/>`;
    return square + text(x + THICK + 6, 8 + THICK - 3, PHASE_NAMES[phase], colours.ink);
  });
}

function drawBar({ name, times, isOurs }: Bar, y: number, scale: number, colours: Colours): string {
  let x = LABELS;
  const parts = PHASES.map((phase) => {
    const width = Math.min(times[phase] * scale, LABELS + BARS - x);
    const part = `<rect x="${round(x)}" y="${y}" width="${round(width)}" height="${THICK}" fill="${colours[phase]}"/>`;
    x += width;
    return part;
  });
  const isCut = times.total * scale > BARS;
  const seconds = `${isCut ? '» ' : ''}${(times.total / 1000).toFixed(1)} s`;
  const weight = isOurs ? ' font-weight="bold"' : '';
  const baseline = y + THICK - 3;
  const label = text(LABELS - 10, baseline, name, colours.ink, `${weight} text-anchor="end"`);
  return label + parts.join('') + text(round(x) + 8, baseline, seconds, colours.ink, weight);
}

function text(x: number, y: number, content: string, fill: string, attributes = ''): string {
  return `<text x="${x}" y="${y}" fill="${fill}"${attributes}>${escapeXml(content)}</text>`;
}

function escapeXml(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function round(x: number): number {
  return Math.round(x * 10) / 10;
}
