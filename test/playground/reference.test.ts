import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { KEY, type MemoryServer, startMemoryServer } from '../support/servers/memory-server.js';
import { CHROMIUM, launch, visit } from './browser.js';
import { StagedEndpoint } from './staged-endpoint.js';
import { button } from './steps.js';

let endpoint: StagedEndpoint;
let server: MemoryServer;
let browser: Browser;

beforeAll(async () => {
  if (CHROMIUM) browser = await launch();
});
afterAll(() => browser?.close());

describe.skipIf(!CHROMIUM)('the reference', () => {
  beforeEach(async () => {
    endpoint = new StagedEndpoint();
    server = await startMemoryServer(endpoint, { stage: '/prod' });
    return server.close;
  });

  test("a request is tried with the playground's key, and its answer shown", async () => {
    const { page, complaints } = await visit(browser, `${server.url}/#key=${KEY}`);
    await page.getByRole('link', { name: 'API reference' }).click();
    const predict = page.locator('#predict');
    await predict.getByText('Try it').click();
    expect(await predict.getByLabel('API key').inputValue()).toBe(KEY);
    await predict.getByLabel('Prefer').fill('wait=20');
    await predict.getByLabel('Body').fill('{"prompt": "a boat", "seed": 7, "num_images": 2}');
    await predict.getByRole('button', { name: 'Send' }).click();
    await predict.locator('.answer').getByText('200', { exact: true }).waitFor();
    expect(endpoint.requests).toMatchObject([{ prompt: 'a boat', seed: 7, num_images: 2 }]);
    const pictures = predict.getByRole('img', { name: 'Picture of the answer' });
    expect(await pictures.count()).toBe(2);
    const width = await page.evaluate(
      'document.querySelector(".answer img").decode().then(() => document.querySelector(".answer img").naturalWidth)',
    );
    expect(width).toBe(512);
    const answer = (await predict.locator('.answer').textContent()) ?? '';
    expect(answer).toContain('"seed": 7');
    expect(answer).toMatch(/"result": "iVBORw0KGgo\S+… \(\d+ characters\)"/);
    expect(answer).toContain('preference-applied: wait=20');
    expect(complaints).toEqual([]);
  });

  test('an operation without a key or a body, one with a place in its path, and a key that is wrong', async () => {
    const { page, complaints } = await visit(browser, `${server.url}/docs`);
    const health = page.locator('#getHealth');
    await health.getByText('Try it').click();
    expect(await health.getByLabel('API key').count()).toBe(0);
    await health.getByRole('button', { name: 'Send' }).click();
    await health.locator('.answer').getByText('"state": "ready"').waitFor();
    const prediction = page.locator('#getPrediction');
    await prediction.getByText('Try it').click();
    await prediction.getByLabel('API key').fill(KEY);
    await prediction.getByRole('button', { name: 'Send' }).click();
    expect(await page.evaluate('document.querySelector("#getPrediction :invalid[name=id]") === null')).toBe(
      false,
    );
    await prediction.getByLabel('id', { exact: true }).fill('mfrggzdfmztwq2lknnwg23tpoaytemzu');
    await prediction.getByRole('button', { name: 'Send' }).click();
    await prediction.locator('.answer').getByText('404', { exact: true }).waitFor();
    await prediction.locator('.answer').getByText('no such prediction').waitFor();
    const warmUp = page.locator('#warmUp');
    await warmUp.getByText('Try it').click();
    expect(await warmUp.getByLabel('API key').inputValue()).toBe(KEY);
    await warmUp.getByLabel('API key').fill('wrong');
    await warmUp.getByRole('button', { name: 'Send' }).click();
    await warmUp.locator('.answer').getByText('401', { exact: true }).waitFor();
    await page.context().setOffline(true);
    await warmUp.getByRole('button', { name: 'Send' }).click();
    await warmUp.locator('.answer').getByText('The service cannot be reached.').waitFor();
    expect(complaints.filter((line) => !line.includes('ERR_INTERNET_DISCONNECTED'))).toEqual([]);
  });

  test('what is sent can be cancelled', async () => {
    endpoint.drawing = 60_000;
    const { page } = await visit(browser, `${server.url}/#key=${KEY}`);
    await page.goto(`${server.url}/docs`);
    const predict = page.locator('#predict');
    await predict.getByText('Try it').click();
    await predict.getByRole('button', { name: 'Send' }).click();
    await predict.getByRole('button', { name: 'Cancel' }).click();
    await predict.locator('.answer').getByText('Cancelled.').waitFor();
  });

  test('examples are copied as they are', async () => {
    const { page } = await visit(browser, `${server.url}/docs`, {
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    const block = page.locator('#predict .code').first();
    await block.getByRole('button', { name: 'Copy' }).click();
    await block.getByRole('button', { name: 'Copied' }).waitFor();
    const copied = await page.evaluate<string>('navigator.clipboard.readText()');
    expect(copied).toBe(await block.locator('code').textContent());
    expect(copied).toContain(`'${server.url}/predict'`);
    await block.getByRole('button', { name: 'Copy' }).waitFor();
  });

  test.each([390, 600])(
    '%i pixels wide, nothing has to be scrolled to the side, and the contents are folded',
    async (width) => {
      const { page } = await visit(browser, `${server.url}/docs`, { viewport: { width, height: 844 } });
      const contents = page.getByRole('navigation', { name: 'Contents' });
      expect((await contents.boundingBox())?.height).toBeLessThan(60);
      const hidden = await page.evaluate<string[]>(
        `[...document.querySelectorAll('.fields dd, .fields dt')]
        .filter((cell) => cell.getBoundingClientRect().right > innerWidth || cell.getBoundingClientRect().width < innerWidth / 2)
        .map((cell) => cell.textContent)`,
      );
      expect(hidden).toEqual([]);
      await contents.getByText('Contents').click();
      await contents.getByRole('link', { name: 'Get a prediction' }).click();
      expect((await contents.boundingBox())?.height).toBeLessThan(60);
      const { y = 0 } = (await page.locator('#getPrediction').boundingBox()) ?? {};
      expect(Math.abs(y)).toBeLessThan(40);
    },
  );

  test('without scripts it is there to be read', async () => {
    const { page } = await visit(browser, `${server.url}/docs`, { javaScriptEnabled: false });
    await page.getByRole('heading', { name: 'Generate', exact: true }).waitFor();
    expect(await page.getByText('Try it').first().isVisible()).toBe(false);
    expect(await button(page, 'Copy').count()).toBe(0);
    await page.getByText('Contents', { exact: true }).click();
    await page.getByRole('link', { name: 'Get a prediction' }).click();
    expect(page.url()).toBe(`${server.url}/docs#getPrediction`);
  });
});
