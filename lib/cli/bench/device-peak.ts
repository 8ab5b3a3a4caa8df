import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/**
 * Dense float16 products of the tensor cores in TFLOP/s, from NVIDIA's data sheets; the first name that is part of the
 * device's counts.
 */
const PEAKS: readonly (readonly [name: string, tflops: number])[] = [
  ['T4', 65],
  ['V100', 125],
  ['A10G', 70],
  ['A10', 125],
  ['A100', 312],
  ['L40S', 362],
  ['L4', 121],
  ['H100 PCIe', 756],
  ['H100 NVL', 835],
  ['H100', 989],
  ['H200', 989],
];

/** @returns undefined for a device that is not in the table */
export function peakOf(device: string): number | undefined {
  const words = device.replaceAll('-', ' ');
  return PEAKS.find(([name]) => ` ${words} `.includes(` ${name} `))?.[1];
}

/** What the driver calls the first GPU; undefined where there is none. */
export async function gpuName(): Promise<string | undefined> {
  const query = ['--query-gpu=name', '--format=csv,noheader', '--id=0'];
  const answer = promisify(execFile)('nvidia-smi', query, { timeout: 10_000 });
  return answer.then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  );
}
