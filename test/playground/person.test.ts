import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { EndpointError } from '../../lib/predictions/endpoint.js';
import type { ModelAbout } from '../../lib/schemas/model-about.js';
import { ABOUT_DEMO } from '../support/demo-card.js';
import { KEY, type MemoryServer, startMemoryServer } from '../support/servers/memory-server.js';
import { CHROMIUM, launch, type Visit, visit } from './browser.js';
import { refusal, StagedEndpoint } from './staged-endpoint.js';
import { announced, button, generate, PROMPT, picture } from './steps.js';

let endpoint: StagedEndpoint;
let server: MemoryServer;
let browser: Browser;

beforeAll(async () => {
  if (CHROMIUM) browser = await launch();
});
afterAll(() => browser?.close());

/** A page that knows the key, as `sd-turbo serve` prints its address. */
async function visitWithKey(): Promise<Visit> {
  return visit(browser, `${server.url}/#key=${KEY}`);
}

describe.skipIf(!CHROMIUM)('a person at the playground', () => {
  beforeEach(async () => {
    endpoint = new StagedEndpoint();
    server = await startMemoryServer(endpoint);
    return server.close;
  });

  test('from the empty page to a picture', async () => {
    const { page, complaints } = await visit(browser, server.url);
    const usable = await page.evaluate<number>('performance.getEntriesByName("usable")[0].startTime');
    console.log(`usable ${Math.round(usable)} ms after it was asked for`);
    await page.getByText('Ready', { exact: true }).waitFor();
    await page.getByLabel('Key of this service').fill(KEY);
    await generate(page);
    await picture(page).waitFor();
    expect(
      await page.evaluate(
        'document.querySelector("#pictures img").decode().then(() => document.querySelector("#pictures img").naturalWidth)',
      ),
    ).toBe(512);
    const { seed } = endpoint.requests[0] ?? {};
    await page.getByText(`Seed ${seed} · 1 step · VAE · sd-turbo-demo`).waitFor();
    expect(await announced(page).textContent()).toMatch(
      new RegExp(`^Done: 1 picture in .*, seed ${seed}\\.$`),
    );
    for (const phase of ['Queue 0.4 ms', 'Text 9.8 ms', 'UNet 61 ms', 'Decode 88 ms', 'File 13 ms']) {
      await page.getByRole('listitem').filter({ hasText: phase }).waitFor();
    }
    const download = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Download' }).click();
    expect((await download).suggestedFilename()).toBe(`sd-turbo-${seed}.png`);
    expect(complaints).toEqual([]);
  });

  test('the key stays in this tab, and out of the address', async () => {
    const { page } = await visitWithKey();
    expect(page.url()).toBe(`${server.url}/`);
    expect(await page.evaluate('Object.values(sessionStorage)')).toEqual([KEY]);
    expect(await page.evaluate('[localStorage.length, document.cookie]')).toEqual([0, '']);
    await page.reload();
    await generate(page);
    await picture(page).waitFor();
    const other = await page.context().newPage();
    await other.goto(server.url);
    expect(await other.getByLabel('Key of this service').inputValue()).toBe('');
  });

  test('cold: told what happens, and the picture comes by itself', async () => {
    endpoint.condition = 'asleep';
    const { page, complaints } = await visitWithKey();
    await page.getByText('Asleep', { exact: true }).waitFor();
    await generate(page);
    await page.getByText('The service keeps this request').waitFor();
    await page.locator('[aria-current="step"]').filter({ hasText: 'The endpoint wakes' }).waitFor();
    await page.getByText(/^About [23] min left$/).waitFor();
    expect(await announced(page).textContent()).toMatch(/^Waking the endpoint, about [23] min left$/);
    expect(
      await page.getByRole('progressbar', { name: 'Waking the endpoint' }).getAttribute('value'),
    ).not.toBeNull();
    endpoint.detail = 'downloading: 40 %';
    await page.getByText('The endpoint wakes (downloading: 40 %)').waitFor();
    Object.assign(endpoint, { condition: 'ready', detail: undefined, drawing: 5_000 });
    await page.locator('[aria-current="step"]').filter({ hasText: 'The picture is drawn' }).waitFor();
    await picture(page).waitFor();
    await page.getByRole('listitem').filter({ hasText: 'Waiting' }).waitFor();
    await page.getByRole('listitem').filter({ hasText: 'UNet 61 ms' }).waitFor();
    await page.getByText('Ready', { exact: true }).waitFor();
    expect(complaints).toEqual([]);
  });

  test('it can be woken before anything is asked for', async () => {
    endpoint.condition = 'asleep';
    const { page } = await visitWithKey();
    await button(page, 'Wake it now').click();
    await page.getByText(/^Waking, about [23] min left$/).waitFor();
    endpoint.condition = 'ready';
    await page.getByText('Ready', { exact: true }).waitFor();
  });

  test('it is not woken without a key, which is asked for', async () => {
    endpoint.condition = 'asleep';
    const { page } = await visit(browser, server.url);
    await button(page, 'Wake it now').click();
    await page.getByText('This service needs a key first.').waitFor();
    expect(endpoint.condition).toBe('asleep');
  });

  test('all that a picture needs is seen at once, without a key and on a small screen', async () => {
    endpoint.about = ABOUT_DEMO;
    for (const viewport of [
      { width: 1280, height: 800 },
      { width: 390, height: 664 },
    ]) {
      const { page } = await visit(browser, server.url, { viewport });
      await page.getByText('What sd-turbo-demo can draw').waitFor();
      const { y = 0, height = 0 } = (await button(page, 'Generate').boundingBox()) ?? {};
      expect(height).toBeGreaterThan(0);
      expect(y + height).toBeLessThanOrEqual(viewport.height);
    }
  });

  test('no key, and a wrong one', async () => {
    const { page } = await visit(browser, server.url);
    await generate(page);
    await page.getByText('This service needs a key first.').waitFor();
    expect(await page.evaluate('document.activeElement.id')).toBe('key');
    await page.keyboard.type('wrong');
    await button(page, 'Generate').click();
    await page.getByRole('heading', { name: 'The service did not take this key' }).waitFor();
    expect(await page.getByLabel('Key of this service').getAttribute('aria-invalid')).toBe('true');
    expect(await page.evaluate('document.activeElement.id')).toBe('key');
    expect(await page.locator('#key-state').textContent()).toBe('not taken');
    await page.keyboard.type(KEY);
    await button(page, 'Generate').click();
    await picture(page).waitFor();
    expect(await page.locator('#key-state').textContent()).toBe('set for this tab');
  });

  test('what is wrong is said beside its field', async () => {
    const { page } = await visitWithKey();
    await button(page, 'Generate').click();
    await page.getByText('Write what you would like to see.').waitFor();
    expect(endpoint.requests).toHaveLength(0);
    endpoint.fault = refusal('prompt', 'is not for this model');
    await generate(page);
    await page.getByRole('heading', { name: 'The service did not take this request' }).waitFor();
    const prompt = page.getByLabel('Prompt');
    expect(await prompt.getAttribute('aria-invalid')).toBe('true');
    expect(
      await page.evaluate(
        'document.getElementById(document.getElementById("prompt").getAttribute("aria-describedby")).textContent',
      ),
    ).toBe('Is not for this model.');
    expect(await page.evaluate('document.activeElement.id')).toBe('prompt');
    endpoint.fault = undefined;
    await page.getByLabel('Seed', { exact: true }).fill('12x');
    await button(page, 'Generate').click();
    await page.getByText('Must be an integer from 0 to 9007199254740991.').waitFor();
    await page.getByLabel('Seed', { exact: true }).fill('12');
    await button(page, 'Generate').click();
    await picture(page).waitFor();
    expect(endpoint.requests.map(({ seed }) => seed)).toEqual([12]);
  });

  test('a field that is folded away is opened when it is wrong', async () => {
    endpoint.fault = refusal('decoder', 'is not in this bundle');
    const { page } = await visitWithKey();
    await page.getByRole('radio', { name: 'TAESD' }).check();
    await page.getByText('Options').click();
    await generate(page);
    await page.getByText('Is not in this bundle.').waitFor();
    expect(await page.getByRole('radio', { name: 'TAESD' }).getAttribute('aria-invalid')).toBe('true');
  });

  test('what a small model can draw is listed, for a model that can draw anything there is no list', async () => {
    const { page } = await visitWithKey();
    await page.getByText('Ready', { exact: true }).waitFor();
    expect(await page.locator('#vocabulary').isVisible()).toBe(false);
    endpoint.about = { model: 'sd-turbo-demo', draws: { objects: ['tree', 'boat'], sky: ['night'] } };
    await page.reload();
    await page.getByText('What sd-turbo-demo can draw').click();
    await page.getByRole('listitem').filter({ hasText: 'objects: tree, boat' }).waitFor();
    await page.getByRole('listitem').filter({ hasText: 'sky: night' }).waitFor();
  });

  test('what a model has not is not offered', async () => {
    const offers = async (about: ModelAbout) => {
      endpoint.about = about;
      const { page } = await visitWithKey();
      await page.getByText('Ready', { exact: true }).waitFor();
      const options = page.locator('#options');
      if ((await options.getAttribute('open')) === null) await options.locator('summary').click();
      const names = ['TAESD', 'VAE'].map((name) => page.getByRole('radio', { name, exact: true }));
      const fields = [...names, page.locator('#image-field')];
      return Promise.all(fields.map(async (field) => (await field.count()) > 0 && (await field.isVisible())));
    };
    expect(await offers({})).toEqual([true, true, true]);
    expect(await offers({ decoders: ['vae', 'taesd'], encoder: true })).toEqual([true, true, true]);
    expect(await offers({ decoders: ['vae'], encoder: false })).toEqual([false, false, false]);
  });

  test('a decoder that is the only one is asked for', async () => {
    endpoint.about = { decoders: ['taesd'], encoder: false };
    const { page } = await visitWithKey();
    await page.getByText('Ready', { exact: true }).waitFor();
    await generate(page);
    await page.getByText(/ · TAESD · sd-turbo-demo/).waitFor();
    expect(await button(page, 'Begin with this').isVisible()).toBe(false);
  });

  test('words that the model does not know are told beside the picture', async () => {
    endpoint.warnings = ['sd-turbo-demo does not know the word "horse".'];
    const { page } = await visitWithKey();
    await generate(page);
    await page.getByText('sd-turbo-demo does not know the word "horse".', { exact: true }).waitFor();
    endpoint.warnings = [];
    await generate(page);
    await page.locator('#notices').waitFor({ state: 'hidden' });
  });

  test('a model that fails is said in words, and is not asked again and again', async () => {
    endpoint.fault = new EndpointError('model', 'the model gave no numbers');
    const { page } = await visitWithKey();
    await generate(page);
    await page.getByRole('heading', { name: 'The model failed on this request' }).waitFor();
    await page.getByText('Try again, or with another seed.', { exact: true }).waitFor();
  });

  test('a service that is away is asked again', async () => {
    const { page } = await visitWithKey();
    await page.context().setOffline(true);
    await generate(page);
    await page.locator('#work-title').filter({ hasText: 'No answer yet, trying again' }).waitFor();
    await page.getByText('Cannot be reached', { exact: true }).waitFor();
    await page.context().setOffline(false);
    await picture(page).waitFor();
    await page.getByText('Ready', { exact: true }).waitFor();
    expect(endpoint.requests).toHaveLength(1);
  });

  test('by keyboard alone', async () => {
    const { page } = await visitWithKey();
    const active = () =>
      page.evaluate<string>(
        'document.activeElement.id || document.activeElement.name || document.activeElement.textContent',
      );
    await page.keyboard.press('Tab');
    expect(await active()).toBe('Skip to the prompt');
    await page.keyboard.press('Enter');
    await page.keyboard.type(PROMPT);
    await page.keyboard.press('Tab');
    expect(await active()).toBe('go');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    expect(await active()).toBe('num_steps');
    await page.keyboard.press('ArrowRight');
    for (const id of ['num_images', 'seed', 'shuffle', 'lock']) {
      await page.keyboard.press('Tab');
      expect(await active()).toBe(id);
    }
    await page.keyboard.press('Space');
    const seed = Number(await page.getByLabel('Seed', { exact: true }).inputValue());
    for (const id of ['image', 'output_format', 'decoder']) {
      await page.keyboard.press('Tab');
      expect(await active()).toBe(id);
    }
    await page.keyboard.press('Control+Enter');
    await picture(page).waitFor();
    expect(endpoint.requests[0]).toMatchObject({ prompt: PROMPT, num_steps: 2, seed });
    expect(await active()).toBe('decoder');
    await button(page, 'Generate').press('Enter');
    await page
      .getByRole('button', { name: /^Show: / })
      .nth(1)
      .waitFor();
    expect(endpoint.requests).toHaveLength(2);
    await page.getByRole('tab', { name: 'curl' }).focus();
    await page.keyboard.press('ArrowRight');
    expect(await page.getByRole('tab', { name: 'TypeScript' }).getAttribute('aria-selected')).toBe('true');
    expect(await page.getByRole('tabpanel', { name: 'TypeScript' }).textContent()).toContain(`seed: ${seed}`);
  });

  test('it can be given up', async () => {
    endpoint.condition = 'asleep';
    const { page } = await visitWithKey();
    await generate(page);
    await page.getByText('The service keeps this request').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('heading', { name: 'Cancelled' }).waitFor();
    const kept = await fetch(`${server.url}/predictions?limit=1`, { headers: { 'x-api-key': KEY } });
    expect(await kept.json()).toMatchObject({ predictions: [{ status: 'canceled' }] });
    expect(await button(page, 'Generate').isVisible()).toBe(true);
  });

  test('nothing moves for those who do not want that', async () => {
    endpoint.condition = 'asleep';
    const { page } = await visit(browser, `${server.url}/#key=${KEY}`, { reducedMotion: 'reduce' });
    await generate(page);
    await page.getByText('The service keeps this request').waitFor();
    expect(await page.evaluate('document.getAnimations().length')).toBe(0);
  });

  test('a long prompt is told to be cut', async () => {
    const { page } = await visitWithKey();
    await generate(page, 'boat '.repeat(80).trim());
    await page.getByText('The prompt is too long: its last 5 tokens were not used.').waitFor();
  });
});
