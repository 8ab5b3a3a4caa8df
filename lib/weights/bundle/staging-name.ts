import { randomUUID } from 'node:crypto';

/** Process, its start in milliseconds since 1970 (not in older ones), and what makes it unique. */
const NAME = /^\.(partial|replacing|replaced)-(\d+)-(?:(\d+)-)?[0-9a-f-]{36}$/;

/** What a folder of ours is for: what is being written, and what makes way for it. */
export type Stage = 'partial' | 'replacing' | 'replaced';

/** The name of a folder, or the end of one, that is this process's own. */
export function stagingName(): string {
  return `.partial-${process.pid}-${Math.round(performance.timeOrigin)}-${randomUUID()}`;
}

/** The folder of the same work for another stage of it. */
export function stageOf(name: string, stage: Stage): string {
  return name.replace(NAME, (whole) => whole.replace(/[a-z]+/, stage));
}

export function isStaging(name: string): boolean {
  return NAME.test(name);
}

/** Whether a process left `name` behind that is no more. Processes of other machines count as dead. */
export function isLeftover(name: string, stage: Stage): boolean {
  const [, is, pid, start] = NAME.exec(name) ?? [];
  if (is !== stage) return false;
  // In containers the same number comes again and again.
  if (Number(pid) === process.pid) return Number(start) !== Math.round(performance.timeOrigin);
  return !isRunning(Number(pid));
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
