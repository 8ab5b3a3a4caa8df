import { spawnSync } from 'node:child_process';

interface Row {
  readonly pid: number;
  readonly parent: number;
}

/** The processes that run now; those that have ended and that nobody has asked about are none. */
function processTable(): Row[] {
  const { pid: own, stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid=,stat='], { encoding: 'utf8' });
  const rows = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  return rows
    .filter(([, , state]) => !state?.startsWith('Z'))
    .map(([pid, parent]) => ({ pid: Number(pid), parent: Number(parent) }))
    .filter(({ pid }) => pid !== own);
}

export function childrenOf(parent: number): number[] {
  return processTable()
    .filter((row) => row.parent === parent)
    .map(({ pid }) => pid);
}

export function isRunning(pid: number): boolean {
  return processTable().some((row) => row.pid === pid);
}
