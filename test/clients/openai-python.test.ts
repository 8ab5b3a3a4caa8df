import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HomeProcess } from '../support/processes/home-process.js';
import { findPython } from '../support/processes/python.js';
import { ROOT } from '../support/reference.js';
import { REFUSED, VARIANTS } from './variants.js';

const SCRIPT = join(ROOT, 'test/clients/openai_python.py');
const python = findPython('openai');
if (!python) console.log('skipped: no Python with openai (pip install -r test/python/requirements.txt)');

interface Picture {
  readonly by: 'b64_json' | 'url';
  readonly type?: string;
  readonly base64: string;
}
interface Told {
  readonly pictures?: readonly Picture[];
  readonly refusal?: unknown;
  readonly [more: string]: unknown;
}

describe.skipIf(!python)('the openai package of PyPI', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'openai-python-'));
  const told = new Map<string, Told>();
  let home: HomeProcess;
  beforeAll(async () => {
    home = await new HomeProcess(['--data', join(scratch, 'data')], scratch).started();
    // What OpenAI has given up, such as variations, warns.
    const child = spawn(python as string, ['-W', 'ignore', SCRIPT, home.url, home.key], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    child.stdin.end(JSON.stringify({ variants: VARIANTS, refused: REFUSED }));
    const [out, complaints] = await Promise.all([text(child.stdout), text(child.stderr)]);
    for (const line of out.trim().split('\n')) {
      const { name, ...said } = JSON.parse(line) as Told & { name: string };
      told.set(name, said);
    }
    expect(complaints).toBe('');
  }, 180_000);
  afterAll(async () => {
    await home?.kill();
    rmSync(scratch, { recursive: true });
  });

  test.each(VARIANTS)('images.generate: %s', async (name, _, expected) => {
    const { pictures = 1, size: [width, height] = [512, 512], format = 'png', by } = expected;
    const got = told.get(name)?.pictures ?? [];
    const ways = by === undefined ? ['b64_json', 'url'] : [by];
    expect(got.map((picture) => picture.by)).toEqual(Array.from({ length: pictures }, () => ways).flat());
    for (const { base64, type = `image/${format}` } of got) {
      expect(type).toBe(`image/${format}`);
      expect(await sharp(Buffer.from(base64, 'base64')).metadata()).toMatchObject({ format, width, height });
    }
  });

  test.each(REFUSED)('images.generate: %s is refused by name', (name, _, param) => {
    expect(told.get(name)?.refusal).toMatchObject({ kind: 'BadRequestError', status: 400, param });
  });

  test('images.edit', async () => {
    for (const [name, width] of [
      ['edit', 1024],
      ['edit of a list', 512],
    ] as const) {
      const [picture] = told.get(name)?.pictures ?? [];
      expect(await sharp(Buffer.from(picture?.base64 ?? '', 'base64')).metadata()).toMatchObject({ width });
    }
  });

  test('images.create_variation is not there, and says so', () => {
    expect(told.get('variation')?.refusal).toMatchObject({ kind: 'NotFoundError', status: 404 });
  });

  test('a raw answer, a stream, models', () => {
    expect(told.get('raw')).toMatchObject({ status: 200, type: 'application/json' });
    expect(told.get('stream')).toEqual({ events: ['image_generation.completed'] });
    expect(told.get('models')).toEqual({ ids: ['sd-turbo-demo'] });
  });

  test('another key', () => {
    expect(told.get('another key')?.refusal).toMatchObject({
      kind: 'AuthenticationError',
      status: 401,
      code: 'invalid_api_key',
    });
  });
});
