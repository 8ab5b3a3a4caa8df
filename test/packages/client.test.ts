import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, createServer } from 'vite';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { CHROMIUM, launch, visit } from '../playground/browser.js';
import { blocks } from '../support/papers.js';
import { HomeProcess } from '../support/processes/home-process.js';
import { ROOT } from '../support/reference.js';
import { emptyProject, execute, npm } from './project.js';

const README = 'packages/client/README.md';
const { file: tarball } = inject('packed').client;
const tools = inject('tools');
const scratch = mkdtempSync(join(tmpdir(), 'client-'));

let service: HomeProcess;
beforeAll(async () => {
  const args = ['--api-key', 'my-key', '--data', join(scratch, 'data')];
  service = await new HomeProcess(args, scratch).started();
});
afterAll(async () => {
  await service.kill();
  rmSync(scratch, { recursive: true });
});

async function project(name: string, files: Record<string, string>): Promise<string> {
  const folder = emptyProject(scratch, name, files);
  await npm(folder, 'install', tarball);
  return folder;
}

/** Every TypeScript of the README in one module, with a use of all that it does not show. */
function everySnippet(): string {
  const code = blocks(README, 'ts');
  const imports = code.flatMap((block) => block.match(/^import .*$/gm) ?? []);
  const bodies = code.map((block) => block.replace(/^import .*$/gm, ''));
  return [
    ...imports,
    "import { ClientError, WebhookError, type GenerateInput, type GenerateProgress, type Prediction, type PredictInput, type WebhookEvent } from 'sd-turbo-client';",
    ...bodies,
    "const file: PredictInput = { prompt: 'x', image: new Uint8Array(3), steps: 2, numImages: 1, format: 'webp', decoder: 'taesd', strength: 1 };",
    "const other: GenerateInput = { prompt: 'x', image: new Blob(['x']), seed: undefined };",
    "export const made: Blob[] = (await client.generate({ ...file, ...other, image: 'data:' })).images.map((image) => new Blob([image]));",
    "const show = (seen: Prediction): string => seen.status === 'failed' ? seen.error.requestId : seen.status === 'succeeded' ? seen.contentType : seen.createdAt;",
    'export const told = (progress: GenerateProgress): number | undefined => progress.health?.wakingFor;',
    "export const event = (event: WebhookEvent): string => event.type === 'prediction.failed' ? event.data.error.detail : show(event.data);",
    'export const errors = [ClientError, WebhookError].map((kind) => kind.name);',
    '// @ts-expect-error: there is no such field',
    "export const wrong = client.generate({ prompt: 'x', num_steps: 1 });",
    '// @ts-expect-error: a key is asked for',
    "export const keyless = () => createClient({ url: 'http://localhost:8000' });",
  ].join('\n');
}

const STRICT = {
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  noImplicitOverride: true,
  noPropertyAccessFromIndexSignature: true,
  verbatimModuleSyntax: true,
  isolatedModules: true,
  skipLibCheck: false,
  noEmit: true,
  target: 'es2022',
};
const DOM = { lib: ['es2022', 'dom', 'dom.iterable'], types: [] };
const NODE = { lib: ['es2022'], types: ['node'], typeRoots: [join(tools, 'node_modules/@types')] };

describe('a strict TypeScript project, with the libraries checked', () => {
  const compilers = {
    '7, of this repository': join(ROOT, 'node_modules/typescript/bin/tsc'),
    '5.9': join(tools, 'node_modules/typescript-new/bin/tsc'),
    '5.4': join(tools, 'node_modules/typescript-old/bin/tsc'),
  };
  const settings = {
    'NodeNext, in Node': { module: 'nodenext', moduleResolution: 'nodenext', ...NODE },
    'NodeNext, with DOM': { module: 'nodenext', moduleResolution: 'nodenext', ...DOM },
    'bundler, in a page': { module: 'esnext', moduleResolution: 'bundler', ...DOM },
    'bundler, in Node': { module: 'esnext', moduleResolution: 'bundler', ...NODE },
  };
  let folder: string;
  beforeAll(async () => {
    folder = await project('types', { 'main.ts': everySnippet() });
  });

  describe.each(Object.entries(compilers))('TypeScript %s', (_, compiler) => {
    test.each(Object.entries(settings))('%s', async (name, options) => {
      const config = `tsconfig.${name.replaceAll(/\W+/g, '-')}.json`;
      const compilerOptions = { ...STRICT, ...options };
      emptyProject(scratch, 'types', {
        'package.json': JSON.stringify({ type: 'module', dependencies: { 'sd-turbo-client': tarball } }),
        [config]: JSON.stringify({ compilerOptions, files: ['main.ts'] }),
      });
      await execute(process.execPath, [compiler, '-p', config], folder);
    });
  });
});

describe('a program', () => {
  const PROGRAM = `
    import { createClient, verifyWebhook } from 'sd-turbo-client';
    const client = createClient({ url: 'SERVICE', apiKey: 'my-key' });
    const { id } = await client.submit({ prompt: 'a red house', seed: 7 });
    const { images, contentType, seed } = await client.follow(id);
    const { status } = await client.get(id);
    const refused = await verifyWebhook(new Headers(), '', 'whsec_').catch(({ name }) => name);
    console.log(JSON.stringify([images.length, contentType, seed, status, refused, new Blob([images[0]]).size > 10_000]));`;
  let folder: string;
  beforeAll(async () => {
    folder = await project('program', { 'main.mjs': PROGRAM.replace('SERVICE', service.url) });
  });

  const bin = (path: string) => join(tools, 'node_modules', path);
  test.each([
    ['Node', process.execPath, ['main.mjs']],
    [
      'Deno',
      bin('@deno/linux-x64-glibc/deno'),
      ['run', '--allow-net', '--no-lock', '--cached-only', 'main.mjs'],
    ],
    ['Bun', bin('@oven/bun-linux-x64/bin/bun'), ['main.mjs']],
  ])('of %s draws', async (name, command, args) => {
    if (!existsSync(command)) return console.log(`${name} is not for this machine: skipped`);
    const stdout = await execute(command, args, folder);
    expect(JSON.parse(stdout)).toEqual([1, 'image/png', 7, 'succeeded', 'WebhookError', true]);
  });
});

test.skipIf(!CHROMIUM)(
  'a page of Vite draws in a browser, and its bundle holds no more than the client',
  async () => {
    const [settings = ''] = blocks(README, 'js');
    const folder = await project('page', {
      'vite.config.js': settings.replace('http://localhost:8000', service.url),
      'index.html':
        '<!doctype html><link rel="icon" href="data:,"><title>A page</title><script type="module" src="/main.js"></script>',
      'main.js': `
      import { createClient } from 'sd-turbo-client';
      const client = createClient({ url: '/pictures', apiKey: null });
      const phases = new Set();
      const onProgress = ({ phase }) => phases.add(phase);
      const { images, contentType } = await client.generate({ prompt: 'a red house', seed: 7 }, { onProgress });
      const picture = new Image();
      picture.alt = [...phases].at(0);
      picture.src = URL.createObjectURL(new Blob([images[0]], { type: contentType }));
      document.body.append(picture);`,
    });
    const server = await createServer({ root: folder, logLevel: 'error', server: { port: 0 } });
    const browser = await launch();
    try {
      await server.listen();
      const { page, complaints } = await visit(browser, server.resolvedUrls?.local[0] as string);
      page.setDefaultTimeout(120_000);
      await page.waitForFunction('document.images[0]?.naturalWidth === 512');
      expect(await page.evaluate('document.images[0].alt')).toBe('sending');
      expect(complaints).toEqual([]);
    } finally {
      await browser.close();
      await server.close();
    }
    const built = await build({ root: folder, logLevel: 'error', build: { write: false } });
    const pieces = [built].flat().flatMap((each) => ('output' in each ? each.output : []));
    const bytes = pieces.reduce((sum, piece) => sum + ('code' in piece ? piece.code.length : 0), 0);
    console.log(`a page with the client: ${bytes} bytes of JavaScript`);
    expect(bytes).toBeLessThan(15_000);
  },
);
