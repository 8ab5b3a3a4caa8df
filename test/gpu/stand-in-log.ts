/** What happened between two marks. */
export interface Phase {
  /** Names as the compiler mangled them, in order; with the scale where a kernel was told one, as its bits. */
  readonly kernels: readonly { readonly name: string; readonly scale: string | undefined }[];
  readonly convolutions: readonly Convolution[];
  /** Convolutions that a plan was looked for, which on a GPU takes longer than they do: [N, C, H, W] of each. */
  readonly plans: readonly (readonly number[])[];
  /** Passes that add a bias to a map: its extents, as cuDNN has them. */
  readonly addedBiases: readonly (readonly number[])[];
  readonly products: readonly Product[];
  /** Bytes of each, from host to device and back. */
  readonly toDevice: readonly number[];
  readonly toHost: readonly number[];
  /** Bytes of each. */
  readonly allocations: readonly number[];
  /** Functions of CUDA that the stand-in does not have, and launches that a T4 refuses. */
  readonly problems: readonly string[];
}

/** Extents in cuDNN's order: [N, C, H, W], [M, C, kH, kW], [N, M, H', W']. */
export interface Convolution {
  readonly x: readonly number[];
  readonly weights: readonly number[];
  readonly y: readonly number[];
}

export interface Product {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly batch: number;
  /** Whether its sums are float32. */
  readonly exact: boolean;
  /** Whether it takes its matrices from a list of pointers, which has to be copied to the device. */
  readonly byPointers: boolean;
}

export interface StandInLog {
  /** By what the marks said. */
  readonly phases: ReadonlyMap<string, Phase>;
  /** Most bytes that were allocated at once after each mark, and in all. */
  readonly peaks: ReadonlyMap<string, number>;
}

const HOST_TO_DEVICE = '1';
const DEVICE_TO_HOST = '2';
/** CUBLAS_COMPUTE_32F and what follows it: 64 is 16F. */
const FIRST_FLOAT32 = 68;

type Writable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer U)[] ? U[] : T[K] };

export function parseStandInLog(text: string): StandInLog {
  const phases = new Map<string, Writable<Phase>>();
  const peaks = new Map<string, number>();
  let mark = '';
  for (const line of text.split('\n')) {
    const [kind, ...fields] = line.split('\t');
    if (kind === 'mark') mark = fields[0] as string;
    const phase = phases.get(mark) ?? emptyPhase();
    phases.set(mark, phase);
    addEvent(phase, kind as string, fields);
    if (kind === 'malloc') peaks.set(mark, Math.max(peaks.get(mark) ?? 0, Number(fields[1])));
  }
  return { phases, peaks };
}

function emptyPhase(): Writable<Phase> {
  return {
    kernels: [],
    convolutions: [],
    plans: [],
    addedBiases: [],
    products: [],
    toDevice: [],
    toHost: [],
    allocations: [],
    problems: [],
  };
}

function addEvent(phase: Writable<Phase>, kind: string, fields: readonly string[]): void {
  const extents = (field: number) => (fields[field] ?? '').split(',').map(Number);
  const [first = '', second = ''] = fields;
  switch (kind) {
    case 'kernel':
      phase.kernels.push({ name: first, scale: fields[4] });
      break;
    case 'convolution':
      phase.convolutions.push({ x: extents(0), weights: extents(1), y: extents(2) });
      break;
    case 'plan':
      phase.plans.push(extents(0));
      break;
    case 'addbias':
      phase.addedBiases.push(extents(0));
      break;
    case 'gemm': {
      const [m, n, k, batch, compute] = fields.slice(1).map(Number) as [
        number,
        number,
        number,
        number,
        number,
      ];
      phase.products.push({
        m,
        n,
        k,
        batch,
        exact: compute >= FIRST_FLOAT32,
        byPointers: first === 'pointers',
      });
      break;
    }
    case 'copy':
      if (first === HOST_TO_DEVICE) phase.toDevice.push(Number(second));
      if (first === DEVICE_TO_HOST) phase.toHost.push(Number(second));
      break;
    case 'malloc':
      phase.allocations.push(Number(first));
      break;
    case 'error':
    case 'absent':
      phase.problems.push([kind, ...fields].join(' '));
      break;
  }
}
