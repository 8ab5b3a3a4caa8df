import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { transformSync } from 'esbuild';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { blocks } from '../support/papers.js';
import { HomeProcess } from '../support/processes/home-process.js';
import { ROOT } from '../support/reference.js';
import { emptyProject, execute, npm } from './project.js';

const README = 'packages/main/README.md';
const { file: tarball } = inject('packed').main;
const tools = inject('tools');
const scratch = mkdtempSync(join(tmpdir(), 'main-'));
const folder = join(scratch, 'app');
const [PROGRAM = '', CLIENT = ''] = blocks(README, 'js');

beforeAll(async () => {
  emptyProject(scratch, 'app');
  await npm(folder, 'install', tarball);
  const size = Number((await execute('du', ['-sk', 'node_modules'], folder)).split('\t')[0]);
  console.log(`installed: ${Math.round(size / 1000)} MB`);
});
afterAll(() => rmSync(scratch, { recursive: true }));

const command = (...args: string[]) => execute('npx', ['--no-install', 'sd-turbo', ...args], folder);
const write = (file: string, text: string) =>
  emptyProject(scratch, 'app', {
    'package.json': readFileSync(join(folder, 'package.json'), 'utf8'),
    [file]: text,
  });

describe('npm install, with scripts and nothing else', () => {
  test('brings no AWS, no hub, no compiler, and no install script', async () => {
    const lock = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8'));
    const installed = Object.entries<{ hasInstallScript?: boolean }>(lock.packages);
    expect(
      installed.filter(([name]) => /@aws|@smithy|huggingface\/hub|esbuild|typescript/.test(name)),
    ).toEqual([]);
    expect(installed.filter(([, { hasInstallScript }]) => hasInstallScript)).toEqual([]);
    await npm(folder, 'ls', '--all');
  });

  test("the README's program draws", async () => {
    write('house.mjs', PROGRAM);
    expect(PROGRAM.trim().split('\n').length).toBeLessThanOrEqual(10);
    await execute(process.execPath, ['house.mjs'], folder);
    expect(statSync(join(folder, 'house.png')).size).toBeGreaterThan(100_000);
  });

  test('await using closes it', async () => {
    const code = `
      import { openPipeline } from 'sd-turbo-serverless';
      let seen;
      {
        await using pipeline = await openPipeline({ threads: 1 });
        seen = pipeline;
        console.log((await pipeline.generate({ prompt: 'a tree', format: 'jpeg' })).contentType);
      }
      await seen.generate({ prompt: 'x' }).catch(({ code }) => console.log(code));`;
    write('using.mjs', transformSync(code, { target: 'node20', format: 'esm' }).code);
    expect(await execute(process.execPath, ['using.mjs'], folder)).toBe('image/jpeg\nUNAVAILABLE\n');
  });

  test('the command draws the same, and makes a bundle that it can draw with', async () => {
    await command('generate', 'a red house in the snow at sunset', '--seed', '7', '--out', 'same.png');
    expect(readFileSync(join(folder, 'same.png'))).toEqual(readFileSync(join(folder, 'house.png')));
    await command('import', '--from', join(ROOT, 'lib/demo-model/model'), '--to', 'bundle');
    await command('generate', 'a tree', '--model', 'bundle', '--out', 'tree.png');
  });

  test.each([
    [['doctor'], /doctor needs .*npm install (@aws-sdk\/client-[\w-]+ ?){5}/],
    [['import', '--from', 'hf:a/b', '--to', 'c'], /hf: needs .*npm install @huggingface\/hub/],
    [
      ['generate', 'x', '--model', 's3://my-bucket/sd-turbo'],
      /s3:\/\/ needs .*npm install @aws-sdk\/client-s3/,
    ],
  ])('%j says what to install', async (args, message) => {
    await expect(command(...args)).rejects.toThrow(message);
  });

  test('the service starts, draws, and is talked to with the client that is part of it', async () => {
    const root = join(folder, 'node_modules/sd-turbo-serverless');
    const args = ['--api-key', 'my-key', '--data', join(scratch, 'data')];
    const home = await new HomeProcess(args, folder, root, { script: 'dist/lib/cli/command.js' }).started();
    try {
      write(
        'client.mjs',
        `${CLIENT.replace('http://localhost:8000', home.url)}\nconsole.log(images[0].length > 100_000)`,
      );
      expect(await execute(process.execPath, ['client.mjs'], folder)).toBe('true\n');
      expect(await (await home.fetch('/')).text()).toContain('<title>');
    } finally {
      await home.kill();
    }
  });

  test.each([
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ])('types: %s, %s, with the libraries checked', async (module, moduleResolution) => {
    const typed = `${PROGRAM.replace('images[0]', 'images[0]!')}
      import { AppError, type Pipeline } from 'sd-turbo-serverless';
      import { createClient } from 'sd-turbo-serverless/client';
      export const client = createClient({ url: 'http://localhost:8000', apiKey: 'my-key' });
      export async function draw(opened: Pipeline): Promise<string> {
        await using other = await openPipeline({ model: 'bundle' });
        const { contentType } = await other.generate({ prompt: opened.model, numImages: 2 }, { signal: AbortSignal.timeout(1) });
        // @ts-expect-error: there is no such field
        await other.generate({ prompt: 'x', num_steps: 1 }).catch((error) => error instanceof AppError && error.code);
        return contentType;
      }`;
    write('main.ts', typed);
    const node = { types: ['node'], typeRoots: [join(tools, 'node_modules/@types')], lib: ['es2022'] };
    const compilerOptions = {
      ...node,
      module,
      moduleResolution,
      target: 'es2022',
      strict: true,
      skipLibCheck: false,
      noEmit: true,
    };
    write('tsconfig.json', JSON.stringify({ compilerOptions, files: ['main.ts'] }));
    for (const compiler of [
      join(ROOT, 'node_modules/typescript'),
      join(tools, 'node_modules/typescript-new'),
    ])
      await execute(process.execPath, [join(compiler, 'bin/tsc')], folder);
  });
});
