import type { Session } from './instance.js';
import type { PulledReport } from './simulate.js';

/** The last look into the queue. Milliseconds. */
const LAST_LOOK_MS = 2_000;

export interface Allowed {
  readonly idleSeconds: number;
  /** What the calls around the last look may take. Milliseconds. */
  readonly latenciesMs: number;
  /** The longest from a request to its picture. Milliseconds. */
  readonly longestWaitMs: number;
  /** When requests may fail, as long as they say so: milliseconds since the beginning. @default never */
  readonly mayFail?: readonly (readonly [from: number, to: number])[];
}

export type Fault =
  | 'stuck'
  | 'failed without need'
  | 'waited too long'
  | 'awake too long'
  | 'nobody listened';

/** What a run has done that it may not, by kind. */
export function judge(
  report: PulledReport,
  allowed: Allowed,
): { readonly fault: Fault; readonly what: string }[] {
  const faults: { fault: Fault; what: string }[] = [];
  const { asked, sessions, crashes, start } = report;
  const { idleSeconds, latenciesMs, longestWaitMs, mayFail = [] } = allowed;
  for (const { id, askedAt, told, result, drawnIn } of asked) {
    const since = askedAt - start;
    const isBadTime = mayFail.some(([from, to]) => since >= from && since < to);
    if (!result) {
      faults.push({ fault: 'stuck', what: id });
      continue;
    }
    if (result.status === 'failed' && !isBadTime)
      faults.push({ fault: 'failed without need', what: `${id}: ${result.error.detail}` });
    const wait = Date.parse(result.completed_at) - askedAt;
    if (result.status === 'succeeded' && !isBadTime && wait > longestWaitMs)
      faults.push({ fault: 'waited too long', what: `${id}: ${wait} ms` });
    // A worker that dies listens no more, and has not said so.
    if (told && crashes === 0 && !isBadTime && drawnIn !== undefined && drawnIn !== told.life)
      faults.push({ fault: 'nobody listened', what: `${id}: worker ${told.life}, drawn by ${drawnIn}` });
  }
  for (const session of sessions) {
    const idle = idleMs(session);
    const most = idleSeconds * 1000 + LAST_LOOK_MS + latenciesMs;
    if (session.cause === undefined || (session.cause === 'idle' && idle > most))
      faults.push({ fault: 'awake too long', what: `${idle} ms without work` });
  }
  return faults;
}

/** From the last work, or the worker's readiness, to the power-off. */
function idleMs({ readyAt = 0, workedAt = 0, offAt = Number.POSITIVE_INFINITY }: Session): number {
  return offAt - Math.max(readyAt, workedAt);
}

/** What EC2 bills: from `running` to `stopping`, a minute at least. Hours. */
export function billedHours(sessions: readonly Session[]): number {
  const ms = sessions.map(({ runningAt, stoppingAt = runningAt }) =>
    Math.max(60_000, stoppingAt - runningAt),
  );
  return ms.reduce((sum, one) => sum + one, 0) / 3_600_000;
}
