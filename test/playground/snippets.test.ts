import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { transform } from 'esbuild';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Language, snippet } from '../../functions/playground/service/snippets.js';
import type { Settings } from '../../functions/playground/settings/settings.js';
import { ROOT } from '../support/reference.js';
import { KEY, type MemoryServer, startMemoryServer } from '../support/servers/memory-server.js';
import { StagedEndpoint } from './staged-endpoint.js';

/** Everything that a shell, a string of JavaScript or one of Python might take for its own. */
const PROMPT = `it's a "boat" $HOME $(id) \`id\` \\n \\' 100 % {x} \${y} #1 !! é 🎈\nat sea; # & | <b> */ """`;

const run = promisify(execFile);
const env = { ...process.env, SD_TURBO_API_KEY: KEY };
const python = [join(ROOT, '.venv/bin/python'), '/usr/bin/python3'].find((path) => existsSync(path));

const endpoint = new StagedEndpoint();
let server: MemoryServer;
let folder: string;

beforeAll(async () => {
  server = await startMemoryServer(endpoint);
  folder = mkdtempSync(join(tmpdir(), 'snippets-'));
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

const RUN: Record<Language, (source: string) => Promise<{ stdout: string }>> = {
  curl: (source) => run('bash', ['-c', source], { cwd: folder, env }),
  python: (source) => run(python as string, ['-c', source], { cwd: folder, env }),
  typescript: async (source) => {
    const { code } = await transform(source, { loader: 'ts' });
    const file = join(folder, 'snippet.mjs');
    writeFileSync(file, code);
    return run(process.execPath, [file], { cwd: folder, env });
  },
};

const hasRequests =
  python !== undefined &&
  (await run(python, ['-c', 'import requests']).then(
    () => true,
    () => false,
  ));
if (!hasRequests) console.log('Python has no requests: its snippet is not run');
const languages: Language[] = ['curl', 'typescript', ...(hasRequests ? (['python'] as const) : [])];

const settings: Settings = {
  prompt: PROMPT,
  num_steps: 1,
  num_images: 1,
  output_format: 'png',
  decoder: 'vae',
};

describe.each(languages)('%s', (language) => {
  const draw = (own: Partial<Settings>) =>
    RUN[language](snippet(language, server.url, { ...settings, ...own }));

  test('asks for what the form says, and writes the picture', async () => {
    await draw({ num_steps: 3, seed: 2 ** 53 - 1, output_format: 'jpeg', decoder: 'taesd' });
    const wanted = {
      prompt: PROMPT,
      num_steps: 3,
      seed: 2 ** 53 - 1,
      num_images: 1,
      output_format: 'jpeg',
      decoder: 'taesd',
    };
    expect(endpoint.requests.at(-1)).toEqual(wanted);
    expect((await sharp(readFileSync(join(folder, 'picture.jpg'))).metadata()).format).toBe('jpeg');
    rmSync(join(folder, 'picture.jpg'));
  });

  test('a picture to begin with', async () => {
    const start = readFileSync(join(ROOT, 'test/fixtures/image-to-image/demo-init.png'));
    writeFileSync(join(folder, 'start.png'), start);
    await draw({ image: `data:image/png;base64,${start.toString('base64')}`, strength: 0.75, num_steps: 2 });
    const { image, ...others } = endpoint.requests.at(-1) ?? {};
    expect(others).toMatchObject({ prompt: PROMPT, strength: 0.75, num_steps: 2 });
    expect(Buffer.from(image ?? '', 'base64').equals(start)).toBe(true);
  });

  test('several pictures', async () => {
    await draw({ num_images: 2, output_format: 'webp' });
    if (language === 'curl') {
      expect(JSON.parse(readFileSync(join(folder, 'pictures.json'), 'utf8')).results).toHaveLength(2);
    } else {
      expect(
        readdirSync(folder)
          .filter((name) => name.startsWith('picture-'))
          .sort(),
      ).toEqual(['picture-0.webp', 'picture-1.webp']);
    }
  });

  test('a cold start', async () => {
    for (const file of readdirSync(folder)) rmSync(join(folder, file));
    endpoint.condition = 'asleep';
    setTimeout(() => {
      endpoint.condition = 'ready';
    }, 500);
    const { stdout } = await draw({});
    if (language === 'curl') {
      expect(readdirSync(folder)).not.toContain('picture.png');
      expect(JSON.parse(stdout)).toMatchObject({
        status: 'queued',
        status_url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/predictions\/[a-z2-7]{32}$/),
      });
    } else expect((await sharp(readFileSync(join(folder, 'picture.png'))).metadata()).format).toBe('png');
    endpoint.condition = 'ready';
  });

  if (language === 'curl') {
    test.each<[string, Partial<Settings>]>([
      ['a picture', {}],
      ['pictures', { num_images: 2 }],
    ])('a refusal of %s is printed, and comes into no file', async (_, own) => {
      for (const file of readdirSync(folder)) rmSync(join(folder, file));
      const { stdout } = await draw({ ...own, num_steps: 9 });
      expect(JSON.parse(stdout)).toMatchObject({ status: 400, errors: [{ field: 'num_steps' }] });
      expect(readdirSync(folder)).toEqual([]);
    });
  } else {
    test('a refusal ends it in the words of the service', async () => {
      await expect(draw({ num_steps: 9 })).rejects.toThrow(/must be an integer from 1 to 4/);
    });
  }
});
