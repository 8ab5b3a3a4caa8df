import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { blocks } from '../support/papers.js';
import { findPython } from '../support/processes/python.js';
import { ROOT } from '../support/reference.js';
import { emptyProject, execute, npm } from './project.js';

// The construct and `sd-turbo init`, as somebody has them who has no clone. Deployed by test/deploy/package.tour.ts.

const GALLERY = 'test/packages/gallery.ts';
const { file: tarball } = inject('packed').main;
const tools = inject('tools');
const scratch = mkdtempSync(join(tmpdir(), 'cdk-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const { devDependencies: tested } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const at = (...names: string[]) => names.map((name) => `${name}@${tested[name]}`);
const python = findPython('cfnlint');

interface Template {
  readonly Resources: Readonly<Record<string, { readonly Type: string }>>;
}

/** Of the app's one stack. */
function templateOf(assembly: string): string {
  const [name = '', ...others] = readdirSync(assembly).filter((file) => file.endsWith('.template.json'));
  expect(others).toEqual([]);
  return join(assembly, name);
}

/** How many resources of each type there are. */
function countTypes(assembly: string): Record<string, number> {
  const { Resources }: Template = JSON.parse(readFileSync(templateOf(assembly), 'utf8'));
  const counts: Record<string, number> = {};
  for (const { Type } of Object.values(Resources)) counts[Type] = (counts[Type] ?? 0) + 1;
  return counts;
}

/** What cfn-lint says: nothing, where nothing is wrong. */
function lint(assembly: string): Promise<string> {
  const tool = join(dirname(python as string), 'cfn-lint');
  return execute(tool, ['--template', templateOf(assembly)], assembly);
}

describe('two services of different backends in one stack', () => {
  const folder = join(scratch, 'gallery');
  const assembly = join(folder, 'cdk.out');
  let said: string;
  beforeAll(async () => {
    emptyProject(scratch, 'gallery', {
      // As `cdk init` has it: no "type".
      'package.json': JSON.stringify({ name: 'gallery', version: '1.0.0' }),
      'app.ts': readFileSync(join(ROOT, GALLERY), 'utf8'),
      'tsconfig.json': JSON.stringify({
        compilerOptions: { target: 'es2022', module: 'nodenext', strict: true, types: ['node'] },
        files: ['app.ts'],
      }),
    });
    await npm(
      folder,
      'install',
      tarball,
      ...at('aws-cdk-lib', 'constructs', 'cdk-nag', 'typescript', '@types/node'),
    );
    await execute('npx', ['--no-install', 'tsc'], folder);
    said = await execute('env', [`CDK_OUTDIR=${assembly}`, process.execPath, 'app.js'], folder);
  });

  test('synthesis needs no compiler of ours, no clone and no container builder', () => {
    expect(existsSync(join(folder, 'node_modules/esbuild'))).toBe(false);
    expect(countTypes(assembly)).toMatchObject({
      'AWS::ApiGateway::RestApi': 2,
      'AWS::SageMaker::Endpoint': 1,
      'AWS::EC2::Instance': 2,
    });
  });

  test('cdk-nag finds nothing', () => {
    expect(JSON.parse(said)).toEqual({ success: true, violations: [] });
  });

  test.skipIf(!python)('cfn-lint finds nothing', async () => {
    expect(await lint(assembly)).toBe('');
  });

  test.each([
    // Slowly, through all of CDK's own declarations: each compiler once, each resolution once.
    ['nodenext', 'nodenext', join(tools, 'node_modules/typescript-new')],
    ['esnext', 'bundler', join(folder, 'node_modules/typescript')],
  ])('types: %s, %s, with the libraries checked', async (module, moduleResolution, compiler) => {
    const compilerOptions = {
      ...{ module, moduleResolution, target: 'es2022', types: ['node'] },
      ...{ strict: true, skipLibCheck: false, noEmit: true },
    };
    emptyProject(scratch, 'gallery', {
      'package.json': readFileSync(join(folder, 'package.json'), 'utf8'),
      'strict.json': JSON.stringify({ compilerOptions, files: ['app.ts'] }),
    });
    await execute(process.execPath, [join(compiler, 'bin/tsc'), '-p', 'strict.json'], folder);
  });

  test("it is used as the package's README says", () => {
    const [, uses = ''] = blocks('packages/main/README.md', 'ts');
    expect(uses).toContain('grantPredict');
    expect(readFileSync(join(ROOT, GALLERY), 'utf8')).toContain(uses);
  });

  test('source maps have the places, and not the text that stands there', () => {
    const lambda = join(folder, 'node_modules/sd-turbo-serverless/dist/lambda/api/index.mjs.map');
    const map = JSON.parse(readFileSync(lambda, 'utf8'));
    expect(map.sources).toContainEqual(expect.stringMatching(/functions\/api\/lambda\.ts$/));
    expect(map.sourcesContent).toBeUndefined();
  });

  test("the image's build context has all that its Dockerfile copies, and nothing else", () => {
    const contexts = readdirSync(assembly).filter((name) => existsSync(join(assembly, name, 'bundle')));
    expect(contexts).toHaveLength(1);
    const context = join(assembly, contexts[0] as string);
    const dockerfile = readFileSync(join(context, 'functions/endpoint/Dockerfile'), 'utf8');
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, paths = '']) =>
      paths.split(' '),
    );
    expect(copied.length).toBeGreaterThan(5);
    expect(copied.filter((path) => !existsSync(join(context, path)))).toEqual([]);
    const files = readdirSync(context, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(context.length + 1));
    const isCopied = (file: string) => copied.some((path) => file === path || file.startsWith(`${path}/`));
    expect(files.filter((file) => !isCopied(file) && !/\/Dockerfile(\.dockerignore)?$/.test(file))).toEqual(
      [],
    );
  });
});

describe('sd-turbo init', () => {
  const installer = join(scratch, 'installer');
  const folder = join(scratch, 'pictures');
  beforeAll(async () => {
    emptyProject(scratch, 'installer');
    await npm(installer, 'install', tarball);
    await execute('npx', ['--no-install', 'sd-turbo', 'init', folder], installer);
    await npm(folder, 'install');
  });

  test('names the tarball that it came from, and versions that are there', async () => {
    const { dependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    expect(dependencies['sd-turbo-serverless']).toBe(`file:${tarball}`);
    await npm(folder, 'ls', '--all');
  });

  test("its six lines are those of the package's README", () => {
    const code = readFileSync(join(folder, 'app.ts'), 'utf8');
    expect(blocks('packages/main/README.md', 'ts')).toContain(code.replace("'pictures'", "'my-pictures'"));
    expect(code.split('\n').filter((line) => line !== '')).toHaveLength(6);
  });

  test.each(['sagemaker', 'ec2'])('an app with %s: compiled, synthesised, linted', async (backend) => {
    const other = join(scratch, backend);
    await execute('npx', ['--no-install', 'sd-turbo', 'init', other, '--backend', backend], installer);
    // What it needs is the same.
    symlinkSync(join(folder, 'node_modules'), join(other, 'node_modules'));
    await execute('npx', ['--no-install', 'cdk', 'synth', '--quiet', '--no-notices'], other);
    const type = backend === 'ec2' ? 'AWS::EC2::Instance' : 'AWS::SageMaker::Endpoint';
    expect(countTypes(join(other, 'cdk.out'))).toMatchObject({ [type]: 1 });
    if (python) expect(await lint(join(other, 'cdk.out'))).toBe('');
  });

  test('an app with the oldest CDK that the package takes', async () => {
    const { peerDependencies } = JSON.parse(readFileSync(join(ROOT, 'packages/main/package.json'), 'utf8'));
    const oldest = Object.entries<string>(peerDependencies).map(
      ([name, range]) => name + range.replace('^', '@'),
    );
    const other = join(scratch, 'oldest');
    await execute('npx', ['--no-install', 'sd-turbo', 'init', other], installer);
    await npm(other, 'install', ...oldest);
    await execute('npx', ['--no-install', 'cdk', 'synth', '--quiet', '--no-notices'], other);
    expect(countTypes(join(other, 'cdk.out'))).toMatchObject({ 'AWS::SageMaker::Endpoint': 1 });
  });
});
