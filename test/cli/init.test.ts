import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { newApp } from '../../lib/cli/init/new-app.js';
import { writeNewFolder } from '../../lib/cli/init/write-new-folder.js';
import { sdTurbo } from '../support/processes/run-command.js';
import { ROOT } from '../support/reference.js';

const scratch = mkdtempSync(join(tmpdir(), 'cli-init-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const folder = () => mkdtempSync(join(scratch, 'run-'));
const read = (...path: string[]) => readFileSync(join(...path), 'utf8');
const FILES = ['.gitignore', 'README.md', 'app.ts', 'cdk.json', 'package.json', 'tsconfig.json'];

describe('an app', () => {
  test.each([
    ['a new directory', 'app', 'sagemaker', []],
    ['folders that are not there either', 'some/where/app', 'ec2', ['--backend', 'ec2']],
  ])('%s', async (_, to, backend, options) => {
    const cwd = folder();
    const { code, stdout, stderr } = await sdTurbo(['init', to, ...options], cwd);
    expect([code, stdout]).toEqual([0, `${to}\n`]);
    expect(stderr).toMatch(/npm install, npx cdk bootstrap \(once\), npx cdk deploy/);
    expect(readdirSync(join(cwd, to)).sort()).toEqual(FILES);
    expect(read(cwd, to, 'app.ts')).toContain(`{ backend: '${backend}' }`);
    expect(read(cwd, to, 'app.ts')).toContain("new Stack(new App(), 'app')");
    expect(readdirSync(cwd)).toEqual([to.split('/')[0]]);
  });

  test('the folder that one is in, when it is empty', async () => {
    const cwd = folder();
    expect(await sdTurbo(['init', '.'], cwd)).toMatchObject({ code: 0, stdout: '.\n' });
    expect(readdirSync(cwd).sort()).toEqual(FILES);
  });

  test('needs what this package was tested with, and in a clone the tarball that is made there', async () => {
    const { devDependencies: tested, version } = JSON.parse(read(ROOT, 'package.json'));
    const cwd = folder();
    const { stderr } = await sdTurbo(['init', 'app'], cwd);
    const { dependencies, devDependencies, ...rest } = JSON.parse(read(cwd, 'app/package.json'));
    const own = `file:${ROOT.replace(/\/$/, '')}/sd-turbo-serverless-${version}.tgz`;
    const { 'aws-cdk-lib': library, constructs } = tested;
    expect(dependencies).toEqual({ 'aws-cdk-lib': library, constructs, 'sd-turbo-serverless': own });
    for (const [name, needed] of Object.entries(devDependencies)) expect(needed).toBe(tested[name]);
    expect(rest).toMatchObject({ name: 'app', private: true, type: 'module' });
    expect(stderr).toMatch(/npm run pack:main makes it\n/);
  });

  test.each([
    ['Pictures', 'pictures'],
    ['my_app 2', 'my-app-2'],
    ['with-sagemaker', 'with-sagemaker'],
    ['2nd--app.', 'nd-app'],
    ['écran', 'cran'],
    ['123', 'my-pictures'],
    [`a${'b'.repeat(60)}`, `a${'b'.repeat(39)}`],
    [`${'a'.repeat(39)}-b`, 'a'.repeat(39)],
  ])('of a directory %s is named %s', async (directory, name) => {
    const files = await newApp(join('/somewhere', directory), { backend: 'ec2', own: '1.0.0' });
    expect(JSON.parse(files['package.json'] ?? '').name).toBe(name);
    expect(files['app.ts']).toContain(`new Stack(new App(), '${name}')`);
    expect(files['README.md']).toContain(name);
  });

  test('has the feature flags that this repository is tested with', () => {
    const { context } = JSON.parse(read(ROOT, 'cdk.json'));
    const flags = Object.entries(context).filter(([name]) => name.startsWith('@aws-cdk'));
    expect(JSON.parse(read(ROOT, 'packages/app/cdk.json')).context).toEqual(Object.fromEntries(flags));
  });
});

describe('nothing is half written', () => {
  test('a directory that has something is refused by name, and stays as it is', async () => {
    const cwd = folder();
    mkdirSync(join(cwd, 'app/.git'), { recursive: true });
    const { code, stdout, stderr } = await sdTurbo(['init', 'app'], cwd);
    expect([code, stdout, stderr]).toEqual([2, '', 'sd-turbo: app is not empty: name a new directory\n']);
    expect(readdirSync(join(cwd, 'app'))).toEqual(['.git']);
  });

  test.each([
    [['file'], /^sd-turbo: file is a file/],
    [['file/app'], /^sd-turbo: file\/app is a file, or below one/],
    [['link'], /^sd-turbo: link is a link that leads nowhere/],
    [[''], /^sd-turbo: DIR must name a directory/],
    [['s3://bucket/app'], /^sd-turbo: DIR s3:.* is not on this machine/],
    [['app', '--backend', 'lambda'], /^sd-turbo: --backend must be sagemaker or ec2/],
    [[], /^sd-turbo: missing required argument 'DIR'/],
    [['app', 'other'], /^sd-turbo: too many arguments/],
  ])('%j is wrong usage', async (args, message) => {
    const cwd = folder();
    writeFileSync(join(cwd, 'file'), 'text');
    symlinkSync('nowhere', join(cwd, 'link'));
    const { code, stdout, stderr } = await sdTurbo(['init', ...args], cwd);
    expect([code, stdout, stderr]).toEqual([2, '', expect.stringMatching(message)]);
    expect(readdirSync(cwd).sort()).toEqual(['file', 'link']);
  });

  test.each([
    ['a new directory', 'some/app'],
    ['an empty one', '.'],
  ])('a file that cannot be written: %s', async (_, to) => {
    const cwd = folder();
    const files = { 'app.ts': 'code', 'nowhere/file': 'its folder is not there' };
    await expect(writeNewFolder(join(cwd, to), files)).rejects.toThrow(/^cannot write .*ENOENT/);
    expect(readdirSync(cwd)).toEqual([]);
  });

  test('another program puts something there meanwhile: it stays, and nothing else', async () => {
    const cwd = folder();
    const files = {
      'app.ts': 'code',
      get 'cdk.json'() {
        mkdirSync(join(cwd, 'cdk.json'));
        return '{}';
      },
    };
    await expect(writeNewFolder(cwd, files)).rejects.toThrow(/^cannot write /);
    expect(readdirSync(cwd)).toEqual(['cdk.json']);
  });
});
