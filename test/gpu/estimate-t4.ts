import { flops } from '../../lib/export/count-work.js';
import type { OperatorWork } from '../../lib/export/dialects/work-operators.js';

/** Float16 products and memory of a device, from its data sheet. */
export interface Device {
  readonly name: string;
  readonly tflops: number;
  readonly gigabytesPerSecond: number;
}

export const T4: Device = { name: 'T4', tflops: 65, gigabytesPerSecond: 320 };

/** What the seed's example takes for one step with the VAE, by its own words: PyTorch on a T4. */
export const SEED_MS = 500;

/** TFLOP/s that ONNX Runtime reached for Stable Diffusion 1.5 on a T4. */
export const KNOWN_TFLOPS = 16;

const BYTES_PER_NUMBER = 2;

/**
 * The time below which a device cannot be: each operator takes as long as its products or its memory traffic, whichever
 * is longer, and nothing else costs anything.
 *
 * @returns milliseconds
 */
export function roofline(work: readonly OperatorWork[], { tflops, gigabytesPerSecond }: Device): number {
  const seconds = work.map(({ multiplyAdds, numbersMoved }) =>
    Math.max(
      (2 * multiplyAdds) / (tflops * 1e12),
      (BYTES_PER_NUMBER * numbersMoved) / (gigabytesPerSecond * 1e9),
    ),
  );
  return 1000 * seconds.reduce((sum, each) => sum + each, 0);
}

/** Milliseconds of one phase. */
export interface PhaseEstimate {
  readonly tflop: number;
  readonly gigabytes: number;
  readonly measured: number;
  /** Of the measured time, how much the roofline of the device it was measured on explains. */
  readonly share: number;
  readonly t4Roofline: number;
  /** The roofline at 16 TFLOP/s, which is what ONNX Runtime is known to have reached. */
  readonly t4Known: number;
  /**
   * The T4's roofline at the share measured here. Too long where the measuring device is much faster: its share is
   * small because of what a launch costs, which a slower device hides.
   */
  readonly t4AtShare: number;
}

export function estimatePhase(
  work: readonly OperatorWork[],
  measured: number,
  device: Device,
): PhaseEstimate {
  const share = roofline(work, device) / measured;
  const t4Roofline = roofline(work, T4);
  return {
    tflop: flops(work) / 1e12,
    gigabytes: work.reduce((sum, { numbersMoved }) => sum + BYTES_PER_NUMBER * numbersMoved, 0) / 1e9,
    measured,
    share,
    t4Roofline,
    t4Known: roofline(work, { ...T4, tflops: KNOWN_TFLOPS }),
    t4AtShare: t4Roofline / share,
  };
}

/** The table's rows, a line for each phase and one for a whole picture with each decoder. */
export function estimateRows(phases: ReadonlyMap<string, PhaseEstimate>): string[][] {
  const row = (name: string, parts: readonly PhaseEstimate[]): string[] => {
    const sum = (key: keyof PhaseEstimate) => parts.reduce((total, part) => total + part[key], 0);
    const measured = sum('measured');
    const here = parts.reduce((total, part) => total + part.share * part.measured, 0);
    return [
      name,
      sum('tflop').toFixed(3),
      sum('gigabytes').toFixed(2),
      measured.toFixed(1),
      (sum('tflop') / (measured / 1000)).toFixed(1),
      `${((100 * here) / measured).toFixed(0)} %`,
      ...(['t4Roofline', 't4Known', 't4AtShare'] as const).map((key) => sum(key).toFixed(1)),
    ];
  };
  const picked = (...names: string[]) => names.map((name) => phases.get(name) as PhaseEstimate);
  const wholes = ['vae', 'taesd'].filter((decoder) => phases.has(decoder));
  return [
    [
      'phase',
      'TFLOP',
      'GB moved',
      'ms here',
      'TFLOP/s here',
      'of the roofline here',
      'T4: roofline, ms',
      `T4: at ${KNOWN_TFLOPS} TFLOP/s, ms`,
      'T4: at the share here, ms',
    ],
    ...[...phases].map(([name, phase]) => row(name, [phase])),
    ...wholes.map((decoder) => row(`one step, ${decoder}`, picked('text_encoder', 'unet', decoder))),
  ];
}
