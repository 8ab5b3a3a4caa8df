import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import * as optional from '../../lib/cli/assert-installed.js';
import { modulesInUse } from '../../packages/steps/modules-in-use.mjs';
import { execute } from './project.js';

const packed = inject('packed');
const tools = inject('tools');

describe.each(Object.entries(packed))('%s', (_, { file, files }) => {
  const paths = files.map(({ path }) => path);

  test('publint has nothing to say', async () => {
    const script = join(tools, 'node_modules/publint/src/cli.js');
    await execute(process.execPath, [script, 'run', file, '--strict'], tools);
  });

  test('its types are right for whoever imports it', async () => {
    const script = join(tools, 'node_modules/@arethetypeswrong/cli/dist/index.js');
    // It is ESM: `require` of it works where Node can, and has no types of its own.
    await execute(process.execPath, [script, file, '--profile', 'esm-only'], tools);
  });

  test('has no sources, tests or maps, but what is deployed and what init writes', () => {
    const own = paths.filter(
      (path) => !/^(dist\/(lambda|image)\/.*\.map|packages\/app\/app\.ts)$/.test(path),
    );
    expect(own.filter((path) => /(?<!\.d)\.ts$|\.map$|\.py$|(^|\/)test\/|samples/.test(path))).toEqual([]);
  });

  test('has no file twice, but what several functions are deployed with', () => {
    const own = files.filter(({ path }) => !path.startsWith('dist/lambda/'));
    const large = own.filter(({ size }) => size > 100_000).map(({ size }) => size);
    // Two networks may be as large as each other: the VAE's two halves point into one checkpoint.
    expect(large.length - new Set(large).size).toBeLessThanOrEqual(1);
  });
});

test('the client is small and has no dependencies', () => {
  const { size, files } = packed.client;
  expect(size).toBeLessThan(15_000);
  expect(
    files
      .map(({ path }) => path)
      .filter((path) => !path.endsWith('.d.ts'))
      .sort(),
  ).toEqual(['LICENSE', 'README.md', 'index.js', 'package.json']);
});

test('what is installed only when it is asked for is told by the commands that need it', async () => {
  const { optional: packages } = await modulesInUse();
  const told = [
    ...optional.S3_PACKAGES,
    ...optional.HUB_PACKAGES,
    ...optional.DOCTOR_PACKAGES,
    ...optional.KEYS_PACKAGES,
  ];
  expect([...packages].sort()).toEqual(told.sort());
});
