import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { MAX_IMAGE_BYTES } from '../../lib/schemas/request.js';
import {
  type ScriptedAnswer,
  type ScriptedService,
  startScriptedService,
} from '../client/scripted-service.js';
import { randomBytes } from '../support/graphs/random-bundle.js';
import { sdTurbo } from '../support/processes/run-command.js';

const PICTURE = Buffer.from([137, 80, 78, 71]);
const answer = (fields: object): ScriptedAnswer => ({
  body: {
    result: PICTURE.toString('base64'),
    num_steps: 2,
    output_format: 'png',
    decoder: 'vae',
    tokens_cut: 0,
    model: 'remote',
    ...fields,
  },
});
const queued: ScriptedAnswer = {
  status: 202,
  body: { id: 'a'.repeat(32), status: 'queued', status_url: 'x' },
};

const root = mkdtempSync(join(tmpdir(), 'remote-'));
const folder = () => mkdtempSync(join(root, 'cwd-'));
let service: ScriptedService | undefined;

afterEach(() => service?.close());
afterAll(() => rmSync(root, { recursive: true }));

async function generate(answers: ScriptedAnswer[], ...args: string[]) {
  service = await startScriptedService(answers, { state: 'waking', waking_for: 1, estimate: 4.2 });
  const cwd = folder();
  const remote = ['generate', 'a secret tree', '--endpoint', service.url, '--api-key', 'key-1', ...args];
  return { cwd, seen: service.seen, ...(await sdTurbo(remote, cwd)) };
}

test('a picture comes from the service, with what is said of it', async () => {
  const { code, cwd, seen, stdout } = await generate(
    [answer({ seed: 5 })],
    '--seed',
    '5',
    '--steps',
    '2',
    '--json',
  );
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    seed: 5,
    num_steps: 2,
    model: 'remote',
    files: ['sd-turbo-5.png'],
  });
  expect(readFileSync(join(cwd, 'sd-turbo-5.png'))).toEqual(PICTURE);
  expect(seen[0]?.body).toMatchObject({ prompt: 'a secret tree', seed: 5, num_steps: 2 });
  expect(seen[0]?.headers['x-api-key']).toBe('key-1');
});

test('a cold start is shown as what it is', async () => {
  const done = answer({ id: 'a'.repeat(32), status: 'succeeded', seed: 5 });
  const { code, stderr } = await generate([queued, done], '--out', 'tree.png');
  expect(code).toBe(0);
  expect(stderr).toContain('the endpoint is waking: about 5 s to go');
  expect(stderr).not.toContain('secret');
});

test('a picture that a service takes is sent as it is, a larger one as a smaller copy', async () => {
  const [small, large] = [join(folder(), 'small.png'), join(folder(), 'large.png')];
  const picture = sharp({ create: { width: 90, height: 60, channels: 3, background: 'green' } });
  writeFileSync(small, await picture.png().toBuffer());
  const sides = { width: 1800, height: 1200, channels: 3 } as const;
  writeFileSync(
    large,
    await sharp(randomBytes(3 * 1800 * 1200, 1), { raw: sides })
      .resize(3000)
      .png()
      .toBuffer(),
  );
  const sent: Buffer[] = [];
  for (const file of [small, large]) {
    const { code, seen, stderr } = await generate([answer({ seed: 5 })], '--image', file);
    expect(code).toBe(0);
    expect(stderr.includes('a smaller copy is sent')).toBe(file === large);
    const { image } = z.looseObject({ image: z.string() }).parse(seen[0]?.body);
    sent.push(Buffer.from(image, 'base64'));
    await service?.close();
  }
  expect(sent[0]).toEqual(readFileSync(small));
  expect(sent[1]?.length).toBeLessThanOrEqual(MAX_IMAGE_BYTES);
  expect(await sharp(sent[1]).metadata()).toMatchObject({ format: 'jpeg', width: 2048, height: 1365 });
});

test('a refusal is one line with the service and its words', async () => {
  const { code, cwd, stderr } = await generate([{ status: 401, body: { detail: 'this key is not known' } }]);
  expect(code).toBe(1);
  expect(stderr).toContain(`${service?.url}: this key is not known`);
  expect(stderr).not.toContain('key-1');
  expect(readdirSync(cwd)).toEqual([]);
});

describe('wrong usage is one line', () => {
  test.each([
    [['--endpoint', 'https://example.com'], '--api-key'],
    [['--endpoint', 'example.com', '--api-key', 'k'], '--endpoint'],
    [['--endpoint', 'https://example.com', '--api-key', 'k', '--model', 'x'], '--model'],
    [['--api-key', 'k'], '--endpoint'],
  ])('%j', async (args, named) => {
    const { code, stderr } = await sdTurbo(['generate', 'x', ...args], folder());
    expect(code).toBe(2);
    expect(stderr).toMatch(/^sd-turbo: [^\n]+\n$/);
    expect(stderr).toContain(named);
  });
});

describe('--timeout', () => {
  test('is how long it waits for the service', async () => {
    const { code, stderr } = await generate([{ instead: 'silence' }], '--timeout', '1');
    expect([code, stderr]).toEqual([1, expect.stringContaining('no picture came within 1 s')]);
  });

  test.each([
    [
      ['--endpoint', 'http://127.0.0.1:9', '--api-key', 'k', '--timeout', '0'],
      '--timeout must be seconds from 1',
    ],
    [
      ['--endpoint', 'http://127.0.0.1:9', '--api-key', 'k', '--timeout', 'soon'],
      '--timeout must be seconds from 1',
    ],
    [['--timeout', '5'], '--timeout goes with --endpoint'],
  ])('%j is refused', async (args, said) => {
    const { code, stderr } = await sdTurbo(['generate', 'a tree', ...args], folder());
    expect([code, stderr]).toEqual([2, expect.stringContaining(`sd-turbo: ${said}`)]);
  });

  test('nobody waits 15 minutes for a service of this machine that is not there', async () => {
    const { url, close } = await startScriptedService([], {});
    await close();
    const { code, stderr } = await sdTurbo(
      ['generate', 'a tree', '--endpoint', url, '--api-key', 'k'],
      folder(),
    );
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^sd-turbo: http:.*: cannot reach http:.* \(ECONNREFUSED\): nobody listens there$/m,
    );
  }, 60_000);
});
