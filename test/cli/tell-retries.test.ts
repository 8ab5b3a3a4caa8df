import { expect, test } from 'vitest';
import { Progress } from '../../lib/cli/progress.js';
import { tellRetries } from '../../lib/cli/tell-retries.js';
import { AppError } from '../../lib/errors/app-error.js';

test('what is tried again is told at once, and then now and then', () => {
  const lines: string[] = [];
  let time = 1_000_000;
  const tell = tellRetries(new Progress({ write: (line) => lines.push(line) }), () => time);
  const fail = (what: string) => tell(new AppError('UNAVAILABLE', what));
  for (const what of ['a', 'b', 'c']) fail(`${what}: no connection`);
  expect(lines).toEqual(['a: no connection: trying again\n']);
  time += 5_000;
  fail('d: no connection');
  fail('e: no connection');
  expect(lines.slice(1)).toEqual(['d: no connection: trying again\n']);
});
