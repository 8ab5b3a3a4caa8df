import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { examine } from '../../lib/doctor/examine.js';
import { type LocalChecksProps, localChecks } from '../../lib/doctor/local-checks.js';
import { type HuggingFaceServer, startHuggingFaceServer } from '../support/hugging-face-server.js';

const folder = mkdtempSync(join(tmpdir(), 'doctor-'));
const SECRET = 'hf_secret';
let hub: HuggingFaceServer;
beforeAll(async () => {
  mkdirSync(join(folder, 'model'));
  writeFileSync(join(folder, 'model/model_index.json'), '{}');
  hub = await startHuggingFaceServer({ repo: 'some/model', folder: join(folder, 'model'), token: SECRET });
});
afterAll(async () => {
  await hub.stop();
  rmSync(folder, { recursive: true });
});

function program(name: string, script: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

async function said(props: Partial<LocalChecksProps>): Promise<string> {
  const lines: string[] = [];
  const standard = { builder: program('works', 'exit 0'), architecture: 'x64', hub: {}, repositories: [] };
  await examine(localChecks({ ...standard, ...props }), (line) => lines.push(line));
  return lines.join('\n');
}

test('a container builder that works, one that is not there, one whose server is down', async () => {
  expect(await said({})).toMatch(/^ok .*works$/);
  expect(await said({ builder: 'no-such-builder' })).toMatch(
    /there is no no-such-builder\n.*CDK_DOCKER=finch/,
  );
  const down = program('down', 'echo cannot connect to the daemon >&2; exit 1');
  expect(await said({ builder: down })).toMatch(/cannot connect to the daemon\n.*down version must succeed/);
  expect(await said({ architecture: 'arm64' })).toMatch(/^WARNING.*\n.*emulated/);
});

test.each([
  ['can be read', { token: SECRET }, 'v1', /^ok .*hf:some\/model: v1 can be read/m],
  ['is gated', {}, 'v1', /^FAILED .*\n.*modelUri/m],
  ['has no such revision', { token: SECRET }, 'nothing', /^FAILED .*\n.*revision=/m],
])('a model that %s', async (_, access, revision, words) => {
  const repositories = [{ repo: 'some/model', revision, file: 'model_index.json' }];
  const text = await said({ hub: { endpoint: hub.endpoint, ...access }, repositories });
  expect(text).toMatch(words);
  expect(text).not.toContain(SECRET);
});

test('a hub that cannot be reached', async () => {
  const repositories = [{ repo: 'some/model', revision: 'main', file: 'model_index.json' }];
  expect(await said({ hub: { endpoint: 'http://127.0.0.1:1' }, repositories })).toMatch(
    /no connection to 127.0.0.1/,
  );
});
