import type { Check, Verdict } from './check.js';

const SIGNS = { ok: 'ok     ', warning: 'WARNING', failure: 'FAILED ' } as const;

/** Runs the checks one after the other, and prints a line for each. @returns how many failed */
export async function examine(checks: readonly Check[], print: (line: string) => void): Promise<number> {
  let failed = 0;
  for (const { name, run } of checks) {
    const verdict = await run();
    if (verdict.state === 'failure') failed += 1;
    print(`${SIGNS[verdict.state]} ${name}: ${describe(verdict)}`);
  }
  return failed;
}

function describe(verdict: Verdict): string {
  return verdict.state === 'ok' ? verdict.found : `${verdict.found}\n        do: ${verdict.advice}`;
}
