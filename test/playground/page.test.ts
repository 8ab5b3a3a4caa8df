import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { page, reference } from '#playground';
import { apiApp } from '../../functions/api/app.js';
import { summary, toBody } from '../../functions/playground/settings/settings.js';
import { generateRequestSchema } from '../../lib/schemas/request.js';
import { memoryServices } from '../support/predictions/memory-services.js';
import { RecordingTelemetry } from '../support/predictions/recording-telemetry.js';
import { StagedEndpoint } from './staged-endpoint.js';

const MAX_BYTES = { playground: 100_000, "reference's script and style": 20_000 };

const telemetry = new RecordingTelemetry();
const { services } = memoryServices({ endpoint: new StagedEndpoint(), telemetry });
const app = apiApp({
  services,
  telemetry,
  caller: () => {
    throw new Error('no key is asked for');
  },
  baseUrl: () => 'https://service.test/prod',
});

test.each(['/', '/docs'])('GET %s needs no key, and nothing from elsewhere', async (path) => {
  const response = await app.request(path);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
  const policy = response.headers.get('content-security-policy') ?? '';
  expect(policy).toMatch(/^default-src 'none'; /);
  expect(policy).not.toMatch(/unsafe|\*|https?:/);
  const html = await response.text();
  // A link that the reader may follow is no part of the page.
  expect(html.match(/(?:src|href|action)="(?:https?:)?\/\/[^"]*"|url\(|@import/g)).toBeNull();
  expect(html.match(/ (?:style|on\w+)="/g)).toBeNull();
  for (const [, kind, text] of html.matchAll(/<(script|style)>([\s\S]*?)<\/\1>/g)) {
    const hash = createHash('sha256')
      .update(text as string)
      .digest('base64');
    expect(policy).toContain(`${kind}-src 'sha256-${hash}'`);
  }
});

test.each(['/', '/docs'])('GET %s is not sent twice', async (path) => {
  const etag = (await app.request(path)).headers.get('etag') as string;
  const again = await app.request(path, { headers: { 'if-none-match': `W/${etag}` } });
  expect(again.status).toBe(304);
  expect(await again.text()).toBe('');
});

test('the page is small, and so is what the reference has of its own', () => {
  for (const [name, text] of [
    ['playground', page.html],
    ["reference's script and style", reference.script + reference.style],
  ] as const) {
    const bytes = Buffer.byteLength(text);
    console.log(`the ${name} has ${bytes} bytes, ${gzipSync(text).length} compressed`);
    expect(bytes, name).toBeLessThan(MAX_BYTES[name]);
  }
});

test('every page has its icon in it, and a browser that asks for one gets the same', async () => {
  const response = await app.request('/favicon.ico');
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'image/svg+xml']);
  expect(response.headers.get('content-security-policy')).toBe("default-src 'none'");
  expect(response.headers.get('cache-control')).toBe('public, max-age=86400');
  const svg = await response.text();
  expect(svg.length).toBeLessThan(500);
  expect((await sharp(Buffer.from(svg)).metadata()).format).toBe('svg');
  for (const path of ['/', '/docs']) {
    const html = await (await app.request(path)).text();
    const [, url = ''] = /<link rel="icon" href="([^"]+)">/.exec(html) ?? [];
    expect(url).toBe(`data:image/svg+xml,${encodeURIComponent(svg)}`);
  }
});

test('the form has the limits and the defaults of the request', () => {
  const { shape } = generateRequestSchema;
  const values = (name: string) =>
    [...page.html.matchAll(new RegExp(`name="${name}" value="(\\w+)"( checked)?`, 'g'))].map(
      ([, value, checked]) => ({ value: value as string, checked: checked !== undefined }),
    );
  const defaults = generateRequestSchema.parse({ prompt: 'x' });
  for (const name of ['output_format', 'decoder', 'num_steps', 'num_images'] as const) {
    const choices = values(name).map(({ value }) => (name.startsWith('num') ? Number(value) : value));
    const refused = choices.filter((choice) => !shape[name].safeParse(choice).success);
    expect(choices.length, name).toBeGreaterThan(1);
    expect(refused, name).toEqual([]);
    expect(values(name).find(({ checked }) => checked)?.value, name).toBe(String(defaults[name]));
  }
  expect(values('output_format').map(({ value }) => value)).toEqual(shape.output_format.unwrap().options);
  expect(values('decoder').map(({ value }) => value)).toEqual(shape.decoder.unwrap().options);
  expect(shape.num_steps.safeParse(values('num_steps').length + 1).success).toBe(false);
  expect(shape.num_images.safeParse(values('num_images').length + 1).success).toBe(false);
  const longest = Number(/maxlength="(\d+)"/.exec(page.html)?.[1]);
  expect(shape.prompt.safeParse('x'.repeat(longest)).success).toBe(true);
  expect(shape.prompt.safeParse('x'.repeat(longest + 1)).success).toBe(false);
});

test('what every service assumes by itself is not sent', () => {
  const settings = generateRequestSchema.parse({ prompt: 'a boat', seed: 0 });
  expect(toBody({ ...settings, seed: 0 })).toEqual({ prompt: 'a boat', seed: 0, decoder: 'vae' });
  const { seed: _, ...unseeded } = { ...settings, num_images: 2 };
  expect(toBody(unseeded)).toEqual({ prompt: 'a boat', num_images: 2, decoder: 'vae' });
  // What is assumed of the steps is something else with an image.
  const image = 'data:image/png;base64,aaaa';
  expect(toBody({ ...settings, seed: 0, image, strength: 1 })).toMatchObject({
    image,
    num_steps: 1,
    strength: 1,
  });
  expect(summary(unseeded)).toBe('1 step · 2 pictures · random seed · PNG · VAE');
});

test('/docs tells of every route, schema and status', async () => {
  const html = await (await app.request('/docs')).text();
  const document = (await (await app.request('/openapi.json')).json()) as {
    paths: Record<string, Record<string, { operationId: string; responses: object }>>;
    components: { schemas: object };
  };
  for (const [path, methods] of Object.entries(document.paths)) {
    expect(html).toContain(`</span> ${path}</p>`);
    for (const { operationId, responses } of Object.values(methods)) {
      const article = html.split(`<article id="${operationId}"`)[1]?.split('</article>')[0] ?? '';
      for (const status of Object.keys(responses))
        expect(article, operationId).toContain(`>${status}</span>`);
    }
  }
  for (const name of Object.keys(document.components.schemas)) expect(html).toContain(`id="schema-${name}"`);
  const places = new Set([...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id));
  const links = [...html.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id);
  expect(links.filter((id) => !places.has(id))).toEqual([]);
});
