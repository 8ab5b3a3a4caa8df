import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { transformSync } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { theBlock } from '../support/papers.js';
import { EndpointProcess } from '../support/processes/endpoint-process.js';
import { HomeProcess } from '../support/processes/home-process.js';
import { paste } from '../support/processes/paste.js';
import { findPython } from '../support/processes/python.js';
import { ROOT } from '../support/reference.js';

const scratch = mkdtempSync(join(tmpdir(), 'tour-'));
/** Inside this package, so that it finds itself by its name. */
const programs = mkdtempSync(join(ensure(join(ROOT, 'dist')), 'tour-'));

let home: HomeProcess;
beforeAll(async () => {
  const args = ['--data', join(scratch, 'data'), '--api-key', 'my-key'];
  home = await new HomeProcess(args, scratch).started();
});
afterAll(async () => {
  await home.kill();
  for (const folder of [scratch, programs]) rmSync(folder, { recursive: true });
});

function ensure(folder: string): string {
  mkdirSync(folder, { recursive: true });
  return folder;
}

test('sixty seconds: every line is pasted as it stands', () => {
  const block = theBlock('sh', 'localhost:8000/predict');
  paste(block.replaceAll(/(http:\/\/)?localhost:8000/g, home.url), scratch);
  for (const file of ['boat.png', 'house.png', 'rocket.png', 'other.png']) {
    expect(statSync(join(scratch, file)).size, file).toBeGreaterThan(10_000);
  }
});

test.each([
  ['the typed client', 'sd-turbo-serverless/client', 'images.length'],
  ["OpenAI's package", "from 'openai'", 'data.length'],
  ['the pipeline', 'openPipeline', 'images.length'],
])('%s draws', (_, words, count) => {
  const { code } = transformSync(theBlock('ts', words), { loader: 'ts', format: 'esm' });
  const program = join(programs, `${count}.mjs`);
  const constants = `const URL = ${JSON.stringify(home.url)}, KEY = ${JSON.stringify(home.key)};`;
  writeFileSync(program, `${constants}\n${code}\nconsole.log(${count});`);
  const { stdout, stderr } = spawnSync(process.execPath, [program], { encoding: 'utf8' });
  expect(stdout.trim().split('\n').at(-1), stderr).toBe('1');
});

const python = findPython('requests');
test.skipIf(!python)("the seed's Python draws", () => {
  const constants = `URL, KEY = ${JSON.stringify([home.url, home.key])}`;
  const code = `${constants}\n${theBlock('python', 'requests.post')}`;
  const { status, stderr } = spawnSync(python as string, ['-c', code], { cwd: scratch, encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  expect(statSync(join(scratch, 'tree.png')).size).toBeGreaterThan(10_000);
});

test("the container's server: every line of curl", async () => {
  const [start, ...lines] = theBlock('sh', 'localhost:8080/ping').trim().split('\n') as [string, ...string[]];
  const bundle = /MODEL_URI=(\S+)/.exec(start)?.[1] as string;
  const server = join(ROOT, 'dist/functions/endpoint/server.js');
  const endpoint = new EndpointProcess([process.execPath, server], {
    PORT: '0',
    MODEL_URI: join(ROOT, bundle),
  });
  try {
    await endpoint.settled();
    const url = await endpoint.url();
    paste(lines.join('\n').replaceAll('localhost:8080', url).replaceAll('curl ', 'curl --fail '), scratch);
    expect(statSync(join(scratch, 'boat.png')).size).toBeGreaterThan(10_000);
  } finally {
    endpoint.signal('SIGKILL');
    await endpoint.exited();
  }
});
