import { formatBytes } from './format-bytes.js';
import type { Progress } from './progress.js';

/** The rate is that of so long: what was fast or slow before says nothing of what is left. Milliseconds. */
const WINDOW_MS = 10_000;
/** Before, a rate is not one yet. Milliseconds. */
const LEAST_MS = 1_000;

interface Sample {
  readonly at: number;
  readonly done: number;
}

/** For bytes that are on their way: how many of how many, how fast, how long they will still take. */
export function tellBytes(
  progress: Progress,
  text: string,
  now: () => number = performance.now.bind(performance),
): (done: number, total: number) => void {
  let samples: Sample[] = [];
  return (done, total) => {
    const at = now();
    const young = samples.filter((sample) => at - sample.at <= WINDOW_MS);
    samples = [...(young.length > 0 ? young : samples.slice(-1)), { at, done }];
    const first = samples[0] as Sample;
    const elapsed = at - first.at;
    const rate = elapsed < LEAST_MS ? 0 : ((done - first.done) / elapsed) * 1000;
    const parts = [
      `${formatBytes(done)} of ${formatBytes(total)}`,
      ...(rate > 0 ? [`${formatBytes(rate)}/s`] : []),
      ...(rate > 0 && done < total ? [`${duration((total - done) / rate)} left`] : []),
    ];
    progress.update(text, done, total, `, ${parts.join(', ')}`);
  };
}

function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
