import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { RgbImage } from '../../lib/image/rgb-image.js';
import { largestDifference } from '../support/graphs/largest-difference.js';
import { type Contestant, PHASES, type Times } from './contestants.js';

/** Threads of other runtimes spin for a while after their work. */
export const PAUSE_MS = 300;

export interface Turns {
  /** One of each turn, in the order of the contestants. */
  readonly times: readonly (readonly Times[])[];
  /** Of any pixel of the last contestant from the first one's with the same decoder; of 255. */
  readonly difference: number | undefined;
}

/**
 * Every contestant draws the same picture in every turn, so that a machine whose speed drifts treats all alike; who
 * begins changes from turn to turn.
 */
export async function takeTurns(contestants: readonly Contestant[], turns: number): Promise<Turns> {
  const scratch = mkdtempSync(join(tmpdir(), 'turns-'));
  const times = contestants.map(() => [] as Times[]);
  const last = contestants.at(-1) as Contestant;
  const rival = contestants.findIndex((each) => each !== last && each.decoder === last.decoder);
  let difference: number | undefined;
  try {
    for (let turn = 0; turn < turns; turn++) {
      const images: (RgbImage | undefined)[] = [];
      const file = join(scratch, 'last.png');
      for (let place = 0; place < contestants.length; place++) {
        const index = (turn + place) % contestants.length;
        await pause(PAUSE_MS);
        const drawn = await (contestants[index] as Contestant).draw(turn, file);
        times[index]?.push(drawn.times);
        images[index] = drawn.image;
      }
      const ours = images[rival];
      if (ours) {
        const theirs = images[contestants.length - 1] ?? file;
        difference = Math.max(difference ?? 0, await largestDifference(ours, theirs));
      }
      const line = contestants.map(({ name, decoder }, index) => {
        return `${name} (${decoder}) ${times[index]?.at(-1)?.total.toFixed(0)}`;
      });
      process.stderr.write(`turn ${turn + 1} of ${turns}, ms: ${line.join(', ')}\n`);
    }
  } finally {
    rmSync(scratch, { recursive: true });
  }
  return { times, difference };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] as number;
}

/** Phase by phase. */
export function medians(times: readonly Times[]): Times {
  const entries = PHASES.map((phase) => [phase, median(times.map((each) => each[phase]))]);
  return Object.fromEntries(entries) as Times;
}

/** Of medians, and the range of the ratios of single turns: `0.61 (0.56-0.76)`. */
export function ratio(ours: readonly number[], theirs: readonly number[]): string {
  const single = ours.map((time, turn) => time / (theirs[turn] as number));
  const range = `${Math.min(...single).toFixed(2)}-${Math.max(...single).toFixed(2)}`;
  return `${(median(ours) / median(theirs)).toFixed(2)} (${range})`;
}
