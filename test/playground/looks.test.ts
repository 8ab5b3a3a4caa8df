import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ABOUT_DEMO } from '../support/demo-card.js';
import { KEY, type MemoryServer, startMemoryServer } from '../support/servers/memory-server.js';
import { CHROMIUM, launch, violations, visit } from './browser.js';
import { refusal, StagedEndpoint } from './staged-endpoint.js';

/** A folder for pictures of every state, to be looked at. They take longer than all that is checked. @default none */
const SHOTS = process.env['SCREENSHOTS'];

const PROMPT = 'A tree in a field under the night sky';
const WIDTHS = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 800 } };
const LOOKS = (['light', 'dark'] as const).flatMap((scheme) =>
  (['phone', 'desktop'] as const).map((device) => [scheme, device] as const),
);

const endpoint = new StagedEndpoint();
let server: MemoryServer;
let browser: Browser;

beforeAll(async () => {
  if (!CHROMIUM) return;
  [server, browser] = [await startMemoryServer(endpoint), await launch()];
  if (SHOTS) mkdirSync(SHOTS, { recursive: true });
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
});

async function look(page: Page, name: string): Promise<void> {
  // The reference with all its folds open is 40,000 pixels long.
  if (SHOTS) await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true, timeout: 120_000 });
  expect(await violations(page), name).toEqual([]);
  expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth'), name).toBeLessThanOrEqual(
    0,
  );
}

describe.skipIf(!CHROMIUM).each(LOOKS)('%s, on a %s', (colorScheme, device) => {
  const options = {
    colorScheme,
    viewport: WIDTHS[device],
    isMobile: device === 'phone',
    hasTouch: device === 'phone',
  };
  const name = (state: string) => `${device}-${colorScheme}-${state}`;

  test('every state of the playground can be perceived by everybody', async () => {
    Object.assign(endpoint, { condition: 'ready', fault: undefined, drawing: 150, about: ABOUT_DEMO });
    const { page, complaints } = await visit(browser, server.url, options);
    await page.getByText('Ready', { exact: true }).waitFor();
    await page.getByText('What sd-turbo-demo can draw').click();
    await look(page, name('1-empty'));
    await page.getByLabel('Key of this service').fill(KEY);
    await page.getByRole('button', { name: PROMPT }).click();
    await page.getByRole('link', { name: 'Download' }).waitFor();
    await look(page, name('2-picture'));
    await page.getByRole('button', { name: 'Begin with this' }).click();
    await page.getByRole('slider', { name: 'Strength' }).waitFor();
    await page.getByRole('radio', { name: '4' }).nth(1).check();
    await page.getByRole('button', { name: 'Keep this seed' }).click();
    await page.getByRole('tab', { name: 'Python' }).click();
    await page.getByRole('button', { name: 'Generate' }).click();
    await page.getByRole('link', { name: 'Download 4' }).waitFor();
    await look(page, name('3-four-pictures'));
    endpoint.condition = 'asleep';
    await page.getByRole('button', { name: 'Generate' }).click();
    await page.locator('#work-left').waitFor();
    await look(page, name('4-cold'));
    endpoint.condition = 'ready';
    await page.getByRole('listitem').filter({ hasText: 'Waiting' }).waitFor();
    await look(page, name('5-cold-picture'));
    endpoint.fault = refusal('prompt', 'is not for this model');
    await page.getByRole('button', { name: 'Generate' }).click();
    await page.getByText('Is not for this model.').waitFor();
    await look(page, name('6-refused'));
    await page.getByText('API key').click();
    await page.getByLabel('Key of this service').fill('wrong');
    await page.getByRole('button', { name: 'Generate' }).click();
    await page.getByText('The service did not take this key.', { exact: true }).waitFor();
    await look(page, name('7-wrong-key'));
    expect(complaints).toEqual([]);
  });

  test('so can the reference', async () => {
    const { page, complaints } = await visit(browser, `${server.url}/docs`, options);
    await look(page, name('8-docs'));
    await page.evaluate('for (const fold of document.querySelectorAll("details")) fold.open = true');
    await look(page, name('9-docs-open'));
    expect(complaints).toEqual([]);
  }, 240_000);
});

test.skipIf(!CHROMIUM)('axe-core sees what is wrong', async () => {
  const { page } = await visit(browser, `${server.url}/docs`);
  await page.evaluate(
    'document.documentElement.lang = ""; document.querySelector("h1").style.color = "var(--line)"',
  );
  const found = (await violations(page)).map((line) => line.split(':')[0]);
  expect(found).toEqual(expect.arrayContaining(['color-contrast', 'html-has-lang']));
});
