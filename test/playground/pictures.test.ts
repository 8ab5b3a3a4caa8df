import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { randomBytes } from '../support/graphs/random-bundle.js';
import { ROOT } from '../support/reference.js';
import { KEY, type MemoryServer, startMemoryServer } from '../support/servers/memory-server.js';
import { CHROMIUM, launch, type Visit, visit } from './browser.js';
import { StagedEndpoint } from './staged-endpoint.js';
import { button, generate, PROMPT, picture } from './steps.js';

/** Of the bar that says where the time went. */
const PARTS = [
  'waiting',
  'queue',
  'load',
  'text_encoder',
  'encoder',
  'unet',
  'decoder',
  'encode',
  'service',
  'network',
];

let endpoint: StagedEndpoint;
let server: MemoryServer;
let browser: Browser;

beforeAll(async () => {
  if (CHROMIUM) browser = await launch();
});
afterAll(() => browser?.close());

async function visitWithKey(): Promise<Visit> {
  return visit(browser, `${server.url}/#key=${KEY}`);
}

describe.skipIf(!CHROMIUM)('pictures on the page', () => {
  beforeEach(async () => {
    endpoint = new StagedEndpoint();
    server = await startMemoryServer(endpoint);
    return server.close;
  });

  test('a picture to begin with: chosen, too large, drawn here, taken away', async () => {
    const { page, complaints } = await visitWithKey();
    const choose = (name: string, buffer: Buffer) =>
      page.getByLabel('Begin with a picture').setInputFiles({ name, mimeType: 'image/png', buffer });
    await choose('a.png', Buffer.from('no picture, but long'.repeat(100_000)));
    await page.getByText('It must be a PNG, JPEG or WebP picture.').waitFor();
    const noise = randomBytes(4 * 1500 * 1200, 1);
    // Clear at its left edge, where it is another colour.
    for (let pixel = 0; pixel < 1500 * 1200; pixel++) {
      if (pixel % 1500 < 300) noise.set([255, 0, 0, 0], 4 * pixel);
      else noise[4 * pixel + 3] = 255;
    }
    const large = await sharp(noise, { raw: { width: 1500, height: 1200, channels: 4 } })
      .png()
      .toBuffer();
    for (const size of [2_000_000, 0]) {
      await choose('a.png', Buffer.from('no picture'));
      await page.getByText('It must be a PNG, JPEG or WebP picture.').waitFor();
      await choose('broken.png', Buffer.concat([large.subarray(0, 20), Buffer.alloc(size)]));
      await page.getByText('This browser cannot read that as a picture.').waitFor();
      expect(await page.getByRole('img', { name: 'To begin with' }).count()).toBe(0);
    }
    await choose('large.png', large);
    await page.getByRole('img', { name: 'To begin with' }).waitFor();
    const strength = page.getByRole('slider', { name: 'Strength' });
    for (const key of ['ArrowLeft', 'ArrowRight']) {
      // With two steps it cannot be less; the knob stands in the middle.
      const where = ['min', 'max'].map((end) => strength.getAttribute(end));
      expect(await Promise.all([strength.inputValue(), ...where])).toEqual(['0.5', '0', '1']);
      expect(await strength.getAttribute('aria-valuetext')).toBe('50 %');
      await strength.press(key);
    }
    await generate(page);
    await picture(page).waitFor();
    const [first] = endpoint.requests;
    expect(first).toMatchObject({ num_steps: 2, strength: 0.51 });
    const bytesOf = (index: number) => Buffer.from(endpoint.requests[index]?.image ?? '', 'base64');
    const begun = (index: number) => sharp(bytesOf(index)).metadata();
    const shown = (count: number) =>
      page
        .getByRole('button', { name: /^Show: / })
        .nth(count - 1)
        .waitFor();
    const sent = await begun(0);
    expect([sent.format, sent.width, sent.height]).toEqual(['jpeg', 1024, 819]);
    const edge = { left: 0, top: 0, width: 150, height: 819 };
    const { channels } = await sharp(await sharp(bytesOf(0)).extract(edge).toBuffer()).stats();
    for (const { mean } of channels) expect(mean).toBeGreaterThan(253);
    await page.getByText('from a picture, 51 %').waitFor();
    await button(page, 'Begin with this').click();
    await button(page, 'Generate').click();
    await shown(2);
    const drawn = await begun(1);
    expect([drawn.format, drawn.width]).toEqual(['png', 512]);
    await button(page, 'Remove').click();
    await button(page, 'Generate').click();
    await shown(3);
    expect(endpoint.requests[2]).not.toHaveProperty('image');
    expect(complaints).toEqual([]);
  });

  test('of several pictures any one can be begun with', async () => {
    const { page } = await visitWithKey();
    await page.getByRole('radio', { name: '4' }).nth(1).check();
    await generate(page);
    await button(page, 'Begin with 3').click();
    await button(page, 'Generate').click();
    await page.getByText('from a picture, 50 %').waitFor();
    const third = readFileSync(join(ROOT, 'test/fixtures/demo/02-0.png'), 'base64');
    expect(endpoint.requests[1]?.image === third).toBe(true);
  });

  test('every phase has a colour of its own', async () => {
    const { page } = await visitWithKey();
    const colours = await page.evaluate<string[]>(`[${JSON.stringify(PARTS).slice(1, -1)}].map((name) => {
      const swatch = Object.assign(document.createElement('span'), { className: 'swatch ' + name });
      document.body.append(swatch);
      return getComputedStyle(swatch).backgroundColor;
    })`);
    expect(colours).not.toContain('rgba(0, 0, 0, 0)');
    expect(new Set(colours).size).toBe(PARTS.length);
  });

  test('a long prompt does not push away what belongs to its picture', async () => {
    const { page } = await visitWithKey();
    const top = async () => (await page.getByRole('link', { name: 'Download' }).boundingBox())?.y ?? 0;
    await generate(page);
    await picture(page).waitFor();
    expect(await button(page, 'Whole prompt').isVisible()).toBe(false);
    const short = await top();
    const prompt = 'a boat at sea, '.repeat(130).trim();
    await generate(page, prompt);
    await page.getByRole('img', { name: `Picture: ${prompt}` }).waitFor();
    await button(page, 'Whole prompt').waitFor();
    expect((await top()) - short).toBeLessThan(200);
    await button(page, 'Whole prompt').click();
    expect((await top()) - short).toBeGreaterThan(500);
    await button(page, 'Less of the prompt').click();
    expect((await top()) - short).toBeLessThan(200);
  });

  test('pictures are kept in this browser, and used again', async () => {
    const { page } = await visitWithKey();
    await page.getByRole('radio', { name: 'WebP' }).check();
    await page.getByRole('radio', { name: '2' }).nth(1).check();
    await generate(page);
    await page.getByRole('img', { name: `Picture 2 of 2: ${PROMPT}` }).waitFor();
    const { seed } = endpoint.requests[0] ?? {};
    await page.reload();
    await page.getByRole('button', { name: `Show: ${PROMPT} (seed ${seed})` }).click();
    await page.getByRole('img', { name: `Picture 2 of 2: ${PROMPT}` }).waitFor();
    await button(page, 'Use these settings').click();
    expect(await page.getByLabel('Seed', { exact: true }).inputValue()).toBe(String(seed));
    await button(page, 'Generate').click();
    await page
      .getByRole('button', { name: /^Show: / })
      .nth(1)
      .waitFor();
    expect(endpoint.requests[1]).toEqual(endpoint.requests[0]);
    await button(page, 'Clear').click();
    await page.getByRole('heading', { name: 'History' }).waitFor({ state: 'hidden' });
    await page.reload();
    await page.getByText('Your picture appears here.').waitFor();
    expect(await page.getByRole('button', { name: /^Show: / }).count()).toBe(0);
  });

  test('no more pictures are kept than are promised', async () => {
    endpoint.drawing = 0;
    const { page } = await visitWithKey();
    const kept =
      'new Promise((resolve) => { const open = indexedDB.open("sd-turbo"); open.onsuccess = () => { const count = open.result.transaction("drawings").objectStore("drawings").count(); count.onsuccess = () => resolve(count.result); }; })';
    for (let drawn = 1; drawn <= 26; drawn++) {
      await generate(page, `boat ${drawn}`);
      await page.getByRole('button', { name: `Show: boat ${drawn} (` }).waitFor();
    }
    expect(await page.getByRole('button', { name: /^Show: / }).count()).toBe(24);
    expect(await page.evaluate(kept)).toBe(24);
  });
});
