import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Health } from '../../lib/schemas/health.js';
import { HomeProcess } from '../support/processes/home-process.js';
import { KEY, type MemoryServer, startMemoryServer } from '../support/servers/memory-server.js';
import { until } from '../support/until.js';
import { CHROMIUM, launch, visit } from './browser.js';
import { StagedEndpoint } from './staged-endpoint.js';
import { button, generate, picture } from './steps.js';

let browser: Browser;

beforeAll(async () => {
  if (CHROMIUM) browser = await launch();
});
afterAll(() => browser?.close());

describe.skipIf(!CHROMIUM)('at the stage of a gateway', () => {
  let server: MemoryServer;
  beforeAll(async () => {
    server = await startMemoryServer(new StagedEndpoint(), { stage: '/prod' });
  });
  afterAll(() => server.close());

  test.each(['', '/'])('the address may end in "prod%s"', async (end) => {
    const { page, complaints } = await visit(browser, `${server.url}${end}#key=${KEY}`);
    await generate(page);
    await picture(page).waitFor();
    expect(await page.getByRole('tabpanel').textContent()).toContain(`'${server.url}/predict'`);
    await page.getByRole('link', { name: 'API reference' }).click();
    await page.getByRole('heading', { name: 'SD-Turbo API reference' }).waitFor();
    await page.getByRole('link', { name: 'Playground' }).click();
    await page.getByLabel('Prompt').waitFor();
    expect(page.url()).toBe(`${server.url}/`);
    expect(complaints).toEqual([]);
  });
});

describe.skipIf(!CHROMIUM)('at home', () => {
  test('the address that sd-turbo serve prints leads to pictures, warm and cold', async () => {
    const data = mkdtempSync(join(tmpdir(), 'playground-'));
    const service = new HomeProcess(['--data', data, '--scale-to-zero', '2', '--api-key', 'a+b/c='], data);
    onTestFinished(async () => {
      await service.kill();
      rmSync(data, { recursive: true });
    });
    await service.started();
    const { page, complaints } = await visit(browser, service.playground);
    const usable = await page.evaluate<number>('performance.getEntriesByName("usable")[0].startTime');
    console.log(`at home usable ${Math.round(usable)} ms after it was asked for`);
    await generate(page);
    await picture(page).waitFor();
    await until('it sleeps', async () => {
      const health = await service.fetch('/health');
      return ((await health.json()) as Health).state === 'asleep';
    });
    await button(page, 'Generate').click();
    await page.getByText('The service keeps this request').waitFor();
    await page
      .getByRole('button', { name: /^Show: / })
      .nth(1)
      .waitFor();
    expect(complaints).toEqual([]);
  });
});
