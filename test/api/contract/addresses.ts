import { describe, expect, test } from 'vitest';
import { type LinkedAnswer, linkedAnswerSchema } from '../../../lib/schemas/answer.js';
import { openaiImageAnswerSchema } from '../../../lib/schemas/openai/image-answer.js';
import { predictionSchema } from '../../../lib/schemas/prediction.js';
import { ASYNC, type AskProps, asker, PROMPT, type Setting } from './setting.js';

const HOUR_MS = 3_600_000;
const BY_URL = { prompt: PROMPT, response_format: 'url', seed: 11 };

/** Pictures by addresses that need no key. */
export function addresses(setting: () => Setting): void {
  const predict = (props: AskProps) => asker(setting())('POST', '/predict', props);
  const base64 = async (more = {}) => {
    const response = await predict({ body: { prompt: PROMPT, seed: 11, ...more } });
    const { result, results = [result] } = (await response.json()) as { result: string; results?: string[] };
    return results;
  };
  const download = async (urls: readonly string[], format = 'png') => {
    const { readAddress = fetch } = setting();
    return Promise.all(
      urls.map(async (url) => {
        const response = await readAddress(url);
        expect(response.status, url).toBe(200);
        expect(response.headers.get('content-type')).toBe(`image/${format}`);
        return Buffer.from(await response.arrayBuffer()).toString('base64');
      }),
    );
  };
  const linked = async (response: Response): Promise<LinkedAnswer> => {
    expect(response.status).toBe(200);
    return linkedAnswerSchema.parse(await response.json());
  };

  describe('addresses of pictures', () => {
    test('a picture at its address is the one that comes as base64', async () => {
      const answer = await linked(await predict({ body: BY_URL }));
      expect(await download(answer.urls)).toEqual(await base64());
      const left = Date.parse(answer.urls_expire_at) - Date.now();
      expect(left).toBeGreaterThan(0);
      expect(left).toBeLessThanOrEqual(HOUR_MS);
      expect(answer.seed).toBe(11);
    });

    test('several, in another format', async () => {
      const more = { num_images: 3, output_format: 'webp' };
      const answer = await linked(await predict({ body: { ...BY_URL, ...more } }));
      expect(await download(answer.urls, 'webp')).toEqual(await base64(more));
    });

    test('of a prediction that is drawn later, signed anew each time; its bytes where `Accept` wants them', async () => {
      const accepted = await predict({ body: BY_URL, headers: ASYNC });
      const { id } = (await accepted.json()) as { id: string };
      const path = `/predictions/${id}`;
      const get = (headers: Record<string, string> = {}) =>
        asker(setting())('GET', path, { headers: { prefer: 'wait=20', ...headers } });
      for (const _ of ['once', 'again']) {
        const prediction = predictionSchema.parse(await (await get()).json());
        if (!('urls' in prediction)) throw new Error(`no addresses: ${prediction.status}`);
        expect(await download(prediction.urls)).toEqual(await base64());
      }
      const bytes = await get({ accept: 'image/png' });
      expect(bytes.headers.get('content-type')).toBe('image/png');
      expect([Buffer.from(await bytes.arrayBuffer()).toString('base64')]).toEqual(await base64());
    });

    test('of a request that comes again with its key', async () => {
      const headers = { 'idempotency-key': `address-${Math.random()}` };
      const first = await linked(await predict({ body: BY_URL, headers }));
      const second = await predict({ body: BY_URL, headers });
      expect(second.headers.get('idempotency-replayed')).toBe('true');
      const again = await linked(second);
      expect(await download(again.urls)).toEqual(await download(first.urls));
      const other = await predict({ body: { ...BY_URL, response_format: 'base64' }, headers });
      expect(other.status).toBe(409);
    });

    test('a picture cannot be both the answer and somewhere else', async () => {
      const response = await predict({ body: BY_URL, headers: { accept: 'image/png' } });
      expect(response.status).toBe(406);
      const preferred = await predict({ body: BY_URL, headers: { accept: 'image/png, */*;q=0.1' } });
      expect((await linked(preferred)).urls).toHaveLength(1);
    });

    test("OpenAI's way: as base64, as an address, and both where nothing says which", async () => {
      const generate = async (more: object) => {
        const body = { prompt: PROMPT, n: 2, ...more };
        const response = await asker(setting())('POST', '/v1/images/generations', { body });
        return openaiImageAnswerSchema.parse(await response.json()).data;
      };
      const both = await generate({ model: 'dall-e-3' });
      const urls = both.map(({ url }) => url ?? 'none');
      expect(await download(urls)).toEqual(both.map(({ b64_json }) => b64_json));
      for (const picture of await generate({ response_format: 'url' }))
        expect(Object.keys(picture)).toEqual(['url']);
      for (const more of [{ response_format: 'b64_json' }, { model: 'gpt-image-1' }])
        for (const picture of await generate(more)) expect(Object.keys(picture)).toEqual(['b64_json']);
    });
  });
}
