import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { HomeProcess } from '../support/processes/home-process.js';
import { ROOT } from '../support/reference.js';

const LITELLM = join(ROOT, '.venv-clients/bin/python');
const PROGRAMS = join(ROOT, 'test/clients/programs');

const scratch = mkdtempSync(join(tmpdir(), 'programs-'));
let home: HomeProcess;
beforeAll(async () => {
  home = await new HomeProcess(['--data', join(scratch, 'data')], scratch).started();
});
afterAll(async () => {
  await home?.kill();
  rmSync(scratch, { recursive: true });
});

function isAbsent(path: string, how: string): boolean {
  if (existsSync(path)) return false;
  console.log(`skipped: no ${path} (${how})`);
  return true;
}

async function run(command: string, script: string): Promise<Record<string, unknown>> {
  const { stdout } = await promisify(execFile)(command, [script, home.url, home.key], {
    timeout: 180_000,
    maxBuffer: 2 ** 27,
  });
  return JSON.parse(stdout);
}

const sizeOf = async (base64: string) => {
  const { width, height } = await sharp(Buffer.from(base64, 'base64')).metadata();
  return `${width}x${height}`;
};

test.skipIf(isAbsent(LITELLM, 'pip install -r test/clients/requirements.txt into .venv-clients'))(
  'LiteLLM (PyPI)',
  async () => {
    const told = await run(LITELLM, join(ROOT, 'test/clients/litellm_images.py'));
    const [[hasBase64, url]] = told['dall-e-3'] as [[boolean, string]];
    expect(hasBase64).toBe(true);
    const fetched = Buffer.from(await (await fetch(url)).arrayBuffer());
    expect(await sizeOf(fetched.toString('base64'))).toBe('1024x1024');
    const two = told['dall-e-2'] as string[];
    expect(await Promise.all(two.map(sizeOf))).toEqual(['512x512', '512x512']);
    expect(await Promise.all((told['gpt-image-1'] as string[]).map(sizeOf))).toEqual(['1536x1024']);
    expect(told['another key']).toBe(401);
  },
  200_000,
);

test.skipIf(isAbsent(join(PROGRAMS, 'node_modules'), 'npm ci --prefix test/clients/programs'))(
  "Vercel's AI SDK (npm)",
  async () => {
    const told = await run(process.execPath, join(PROGRAMS, 'ai-sdk.mjs'));
    const sizes = async (name: string) => {
      const pictures = told[name] as { base64: string; mediaType: string }[];
      expect(new Set(pictures.map(({ mediaType }) => mediaType))).toEqual(new Set(['image/png']));
      return Promise.all(pictures.map(({ base64 }) => sizeOf(base64)));
    };
    expect(await sizes('dall-e-3')).toEqual(['1024x1024']);
    expect(await sizes('gpt-image-1')).toEqual(['1536x1024']);
    expect(await sizes('dall-e-2')).toEqual(['256x256', '256x256']);
    expect(await sizes('edited')).toEqual(['512x512']);
    expect(told['another key']).toBe(401);
  },
  200_000,
);
