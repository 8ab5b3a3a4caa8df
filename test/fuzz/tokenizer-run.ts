// Fuzzes the readers of tokenizers and checkpoints for longer than a test may:
// nice -n 19 node test/support/run-ts.mjs test/fuzz/tokenizer-run.ts SECONDS [SEED]
// What it finds belongs into tokenizer-readers.test.ts.

import fc from 'fast-check';
import { checkCheckpoints, checkTokenizers, type Tally } from './tokenizer-properties.js';

const [seconds = '60', seed = String(Date.now() % 2 ** 31)] = process.argv.slice(2);

for (const [name, check] of [
  ['tokenizers', checkTokenizers],
  ['checkpoints', checkCheckpoints],
] as const) {
  const tally: Tally = { accepted: 0, refused: 0 };
  const details = await check(tally, {
    seed: Number(seed),
    numRuns: 2 ** 31 - 1,
    interruptAfterTimeLimit: (Number(seconds) * 1000) / 2,
  });
  const megabytes = Math.round(process.memoryUsage().rss / 2 ** 20);
  console.log(name, { seed, runs: details.numRuns, ...tally, megabytes });
  if (details.counterexample === null) continue;
  console.log(fc.defaultReportMessage(details as fc.RunDetails<unknown>), details.errorInstance);
  process.exitCode = 1;
}
