import { COLD_PHASES, WARM_PHASES } from './bench-report.js';
import type { EarlierReport } from './earlier-report.js';

/** Of this run's median to the earlier one's; null where the earlier one took no time. */
export type PhaseRatios<P extends string> = Readonly<Record<P, number | null>>;

/** What `bench --compare --json` adds to the report. */
export interface Comparison {
  readonly earlier: EarlierReport;
  readonly ratios: {
    readonly cold: PhaseRatios<(typeof COLD_PHASES)[number]>;
    readonly warm: PhaseRatios<(typeof WARM_PHASES)[number]>;
  };
}

const SETTINGS = ['model', 'steps', 'decoder', 'provider', 'machine', 'node'] as const;

export function compareReports(earlier: EarlierReport, now: EarlierReport): Comparison {
  const cold = ratios(COLD_PHASES, earlier.cold, now.cold);
  return { earlier, ratios: { cold, warm: ratios(WARM_PHASES, earlier.warm, now.warm) } };
}

/**
 * Medians beside each other, for people.
 *
 * @param name of the earlier report
 */
export function formatComparison({ earlier, ratios }: Comparison, now: EarlierReport, name: string): string {
  const lines = (phases: readonly string[], before: Times, after: Times, of: PhaseRatios<string>) =>
    phases.map((phase) => {
      const times = [before, after].map((each) => each[phase]?.p50.toFixed(1) ?? '-');
      return row(phase, [...times, of[phase]?.toFixed(2) ?? '-']);
    });
  const titles = ['earlier', 'now', 'ratio'];
  return [
    `beside ${name}: medians in milliseconds, and how many times the earlier one`,
    ...SETTINGS.filter((key) => earlier[key] !== now[key]).map(
      (key) => `not alike: ${key} was ${earlier[key]}, is ${now[key]}`,
    ),
    '',
    row('cold', titles),
    ...lines(COLD_PHASES, earlier.cold, now.cold, ratios.cold),
    '',
    row('warm', titles),
    ...lines(WARM_PHASES, earlier.warm, now.warm, ratios.warm),
    '',
  ].join('\n');
}

type Times = Readonly<Record<string, { readonly p50: number }>>;

function ratios<P extends string>(
  phases: readonly P[],
  earlier: Readonly<Record<P, { readonly p50: number }>>,
  now: Readonly<Record<P, { readonly p50: number }>>,
): PhaseRatios<P> {
  const entries = phases.map((phase) => {
    const before = earlier[phase].p50;
    return [phase, before === 0 ? null : now[phase].p50 / before];
  });
  return Object.fromEntries(entries) as PhaseRatios<P>;
}

function row(title: string, cells: readonly string[]): string {
  return title.padEnd(22) + cells.map((cell) => cell.padStart(10)).join('');
}
