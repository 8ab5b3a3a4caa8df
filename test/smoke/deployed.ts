// Checks a deployed service from outside, the whole path, and prints how long things took and what they cost. It draws
// about ten pictures, and wakes the endpoint: some 25 minutes of an instance in all.
//
//   node test/support/run-ts.mjs test/smoke/deployed.ts --url URL --api-key KEY [--dollars-per-hour 0.736]

import { parseArgs } from 'node:util';
import { runChecks } from './run-checks.js';

/** Idle until the copy goes, and until AWS has released the instance. Minutes. */
const TAIL = 5 + 12;

const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    'api-key': { type: 'string' },
    'dollars-per-hour': { type: 'string', default: '0.736' },
  },
});
const { url, 'api-key': key, 'dollars-per-hour': price } = values;
if (!url || !key) {
  console.error(
    'usage: deployed.ts --url URL --api-key KEY: the deploy prints the one, and the command for the other',
  );
  process.exit(2);
}
const started = Date.now();
const failed = await runChecks({ url: url.replace(/\/$/, ''), key }, console.log);
const minutes = (Date.now() - started) / 60_000;
const dollars = ((minutes + TAIL) / 60) * Number(price);
console.log(
  `${failed === 0 ? 'all is well' : `${failed} failed`} after ${minutes.toFixed(1)} minutes; the endpoint sleeps ` +
    `${TAIL} minutes from now: about $${dollars.toFixed(2)} in all`,
);
process.exitCode = failed === 0 ? 0 : 1;
