import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import type { TemplateJson } from '../support/infra/synth-service.js';
import { ROOT } from '../support/reference.js';

// What the CDK command line starts, on a machine without account, credentials or Docker.

const scratch = mkdtempSync(join(tmpdir(), 'cdk-app-'));
afterAll(() => rmSync(scratch, { recursive: true }));

async function synthesize(outdir: string, options: Record<string, string> = {}) {
  const { app, context } = JSON.parse(readFileSync(join(ROOT, 'cdk.json'), 'utf8'));
  const [program, ...args] = app.split(' ');
  expect(program).toBe('node');
  const env = {
    PATH: '/nowhere',
    HOME: scratch,
    CDK_OUTDIR: outdir,
    CDK_CONTEXT_JSON: JSON.stringify({ ...context, ...options }),
  };
  return promisify(execFile)(process.execPath, args, { cwd: ROOT, env }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
  );
}

test('the whole app, with the real functions', async () => {
  const outdir = join(scratch, 'out');
  const { code, stderr } = await synthesize(outdir);
  expect([code, stderr.replaceAll(/^\(node:.*|^\(Use `node.*/gm, '').trim()]).toEqual([0, '']);
  const template: TemplateJson = JSON.parse(readFileSync(join(outdir, 'sd-turbo.template.json'), 'utf8'));
  const handlers = Object.values(template.Resources).filter(({ Type }) => Type === 'AWS::Lambda::Function');
  expect(handlers).toHaveLength(9);
  const bundles = readdirSync(outdir).filter((name) => existsSync(join(outdir, name, 'index.mjs')));
  expect(bundles.length).toBe(8);
  for (const name of bundles)
    expect(readFileSync(join(outdir, name, 'index.mjs'), 'utf8')).toMatch(/export\s*\{[^}]*\bhandler\b/);
});

test('wrong options: told by name and nothing else, and nothing is made', async () => {
  const outdir = join(scratch, 'refused');
  const { code, stderr } = await synthesize(outdir, { maxInstances: 'many', maxInstanes: '3' });
  expect(code).toBe(1);
  expect(stderr.split('\n').slice(0, 2)).toEqual([
    'wrong options:',
    '  maxInstances: must be an integer from 1 to 100',
  ]);
  expect(stderr).toContain('  maxInstanes: is no option');
  expect(stderr).not.toContain('    at ');
  expect(existsSync(join(outdir, 'sd-turbo.template.json'))).toBe(false);
});
