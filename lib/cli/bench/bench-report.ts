import type { ColdTimes, PictureTimes } from './measure-pipeline.js';
import { type Percentiles, percentiles } from './percentiles.js';

export const COLD_PHASES = [
  'start',
  'tokenizer',
  'text_encoder',
  'unet',
  'decoder',
  'warm_up',
  'first_picture',
  'total',
] as const satisfies readonly (keyof ColdTimes)[];
export const WARM_PHASES = [
  'text_encoder',
  'unet',
  'decoder',
  'encode',
  'other',
  'total',
] as const satisfies readonly (keyof PictureTimes)[];

/** Floating-point operations of one picture, all its steps. */
export type PictureFlops = Readonly<Record<'text_encoder' | 'unet' | 'decoder', number>>;

/** Work of a phase, and how fast it was done in the median of its warm runs. */
export interface Rate {
  readonly tflop: number;
  readonly tflops: number;
  /** Of the peak. @default unknown */
  readonly share_of_peak?: number;
}

export interface BenchSettings {
  readonly model: string;
  readonly provider: string;
  readonly decoder: string;
  readonly steps: number;
  /** GPU or processor, and Node's version. */
  readonly machine: string;
  readonly node: string;
}

export interface BenchProps {
  readonly settings: BenchSettings;
  readonly cold: readonly ColdTimes[];
  readonly warm: readonly PictureTimes[];
  /** Undefined where the networks are not of the family whose work can be counted. */
  readonly flops: PictureFlops | undefined;
  /** TFLOP/s that the device can do. @default unknown */
  readonly peakTflops: number | undefined;
  readonly peakMemoryBytes: number;
}

/** What `bench --json` prints; times in milliseconds. */
export interface BenchReport extends BenchSettings {
  readonly runs: number;
  readonly cold_runs: number;
  readonly cold: Readonly<Record<keyof ColdTimes, Percentiles>>;
  readonly warm: Readonly<Record<keyof PictureTimes, Percentiles>>;
  readonly work: Readonly<Record<keyof PictureFlops | 'total', Rate>> | null;
  readonly peak_tflops: number | null;
  readonly peak_memory_bytes: number;
}

export function makeReport(props: BenchProps): BenchReport {
  const { settings, cold, warm, flops, peakTflops } = props;
  const warmPercentiles = summarise(WARM_PHASES, warm);
  const rate = (phase: keyof PictureTimes, operations: number): Rate => {
    const tflops = operations / 1e9 / warmPercentiles[phase].p50;
    const share = peakTflops === undefined ? {} : { share_of_peak: tflops / peakTflops };
    return { tflop: operations / 1e12, tflops, ...share };
  };
  const work = flops && {
    text_encoder: rate('text_encoder', flops.text_encoder),
    unet: rate('unet', flops.unet),
    decoder: rate('decoder', flops.decoder),
    total: rate('total', flops.text_encoder + flops.unet + flops.decoder),
  };
  return {
    ...settings,
    runs: warm.length,
    cold_runs: cold.length,
    cold: summarise(COLD_PHASES, cold),
    warm: warmPercentiles,
    work: work ?? null,
    peak_tflops: peakTflops ?? null,
    peak_memory_bytes: props.peakMemoryBytes,
  };
}

function summarise<P extends string>(
  phases: readonly P[],
  times: readonly Readonly<Record<P, number>>[],
): Record<P, Percentiles> {
  const entries = phases.map((phase) => [phase, percentiles(times.map((time) => time[phase]))] as const);
  return Object.fromEntries(entries) as Record<P, Percentiles>;
}

/** The report for people. */
export function formatReport(report: BenchReport): string {
  const { model, provider, decoder, steps, machine, node, runs, cold_runs } = report;
  const peak = report.peak_tflops === null ? [] : ['of peak'];
  return [
    `${model}, ${steps} step(s), decoder ${decoder}, provider ${provider}, ${machine}, Node ${node}; milliseconds`,
    '',
    row(`cold, ${cold_runs} process(es)`, TIMES),
    ...COLD_PHASES.map((phase) => row(phase, timeCells(report.cold[phase]))),
    '',
    row(`warm, ${runs} run(s)`, [...TIMES, ...(report.work ? ['TFLOP', 'TFLOP/s', ...peak] : [])]),
    ...WARM_PHASES.map((phase) => {
      const rate =
        report.work && phase in report.work ? report.work[phase as keyof typeof report.work] : undefined;
      return row(phase, [...timeCells(report.warm[phase]), ...(rate ? rateCells(rate) : [])]);
    }),
    '',
    `peak memory ${(report.peak_memory_bytes / 2 ** 20).toFixed(0)} MiB`,
    '',
  ].join('\n');
}

const TIMES = ['min', 'p50', 'p90', 'p99', 'max'];

function timeCells({ min, p50, p90, p99, max }: Percentiles): string[] {
  return [min, p50, p90, p99, max].map((time) => time?.toFixed(1) ?? '-');
}

function rateCells({ tflop, tflops, share_of_peak: share }: Rate): string[] {
  return [short(tflop), short(tflops), ...(share === undefined ? [] : [`${(100 * share).toFixed(1)} %`])];
}

function short(value: number): string {
  return value < 0.001 ? value.toExponential(1) : value.toPrecision(3);
}

function row(title: string, cells: readonly string[]): string {
  return title.padEnd(22) + cells.map((cell) => cell.padStart(10)).join('');
}
