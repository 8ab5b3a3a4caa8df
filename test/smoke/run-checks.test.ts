import { expect, test } from 'vitest';
import { ScriptedEndpoint } from '../support/predictions/scripted-endpoint.js';
import { KEY, startMemoryServer } from '../support/servers/memory-server.js';
import { CHECKS } from './checks.js';
import { runChecks } from './run-checks.js';

async function check(key: string, endpoint = new ScriptedEndpoint()) {
  const server = await startMemoryServer(endpoint, { stage: '/prod' });
  const lines: string[] = [];
  const failed = await runChecks({ url: server.url, key }, (line) => lines.push(line));
  await server.close();
  return { failed, lines };
}

test('a service that works passes every check', async () => {
  const { failed, lines } = await check(KEY);
  expect([failed, lines.filter((line) => !line.startsWith('ok'))]).toEqual([0, []]);
  expect(lines).toHaveLength(CHECKS.length);
});

test('one that sleeps is waited for', async () => {
  const endpoint = new ScriptedEndpoint();
  endpoint.sleep(1);
  const { failed, lines } = await check(KEY, endpoint);
  expect([failed, lines]).toEqual([
    0,
    expect.arrayContaining([expect.stringMatching(/ s from the request/)]),
  ]);
});

test('what does not work is named, and the rest is checked all the same', async () => {
  const { failed, lines } = await check('some-other-key-of-24-chars');
  // What needs no key, and what is refused all the same, still works.
  expect(failed).toBe(CHECKS.length - 5);
  expect(lines.find((line) => line.includes('warm pictures'))).toMatch(/^FAILED .*401 instead of 200/);
});
