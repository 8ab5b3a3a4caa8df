/** A stretch of the week in which one copy stays up. */
export interface WarmHours {
  /** As cron has them: `MON,TUE,WED`, or `*`. */
  readonly days: string;
  /** Minutes after midnight; `from` is before `until`. */
  readonly from: number;
  readonly until: number;
}

const DAYS = ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'];
const DAY = `(${DAYS.join('|')})`;
const TIME = '([01]\\d|2[0-3]):([0-5]\\d)';
const WARM_HOURS = new RegExp(`^(?:${DAY}(?:-${DAY})? )?${TIME}-${TIME}$`);

/** Reads `MON-FRI 08:00-18:00`, or `08:00-18:00` for every day; nothing else is any. */
export function readWarmHours(text: string): WarmHours | undefined {
  const [, first, last, ...time] = WARM_HOURS.exec(text) ?? [];
  const [fromHour, fromMinute, untilHour, untilMinute] = time.map(Number) as [number, number, number, number];
  const [from, until] = [fromHour * 60 + fromMinute, untilHour * 60 + untilMinute];
  if (!(from < until)) return undefined;
  return { days: first === undefined ? '*' : daysBetween(first, last ?? first), from, until };
}

/** Over the end of the week too: what AWS makes of `SAT-MON` depends on which day it counts from. */
function daysBetween(first: string, last: string): string {
  const [start, end] = [DAYS.indexOf(first), DAYS.indexOf(last)];
  const count = ((end - start + DAYS.length) % DAYS.length) + 1;
  return Array.from({ length: count }, (_, index) => DAYS[(start + index) % DAYS.length]).join(',');
}

/** When the hours begin or end, as AWS's schedules want it. */
export function cronAt(minutes: number, days: string): string {
  return `cron(${minutes % 60} ${Math.floor(minutes / 60)} ? * ${days} *)`;
}
