import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { generateAnswerSchema } from '../../../lib/schemas/answer.js';
import { openaiImageAnswerSchema } from '../../../lib/schemas/openai/image-answer.js';
import { OUTPUT_FORMATS } from '../../../lib/schemas/request.js';
import { asker, PROMPT, type Setting } from './setting.js';

/** What `Accept` says, the rest of the body, and the type of the answer. */
const NEGOTIATED: [string, object, string][] = [
  ['*/*', {}, 'application/json'],
  ['application/json; charset=utf-8', {}, 'application/json'],
  ['image/png;q=0', {}, 'application/json'],
  ['image/png;q=0, image/*', {}, 'image/jpeg'],
  ['image/avif,image/webp', {}, 'image/webp'],
  ['image/avif, image/webp;q=0.9, */*;q=0.1', {}, 'image/webp'],
  ['image/png;q=0.4, image/jpeg; q=0.6', {}, 'image/jpeg'],
  ['image/png;q=0.4, application/json;q=0.6', {}, 'application/json'],
  ['image/*', {}, 'image/png'],
  ['text/html, image/*;q=0.5', { output_format: 'webp' }, 'image/webp'],
  ['image/png, */*;q=0.5', { output_format: 'webp' }, 'application/json'],
  ['image/webp, application/json;q=0.5', { num_images: 2 }, 'application/json'],
  ['application/json;q=0', {}, 'image/png'],
  ['banana', {}, 'application/json'],
];

/** `POST /predict` at a warm endpoint. */
export function pictures(setting: () => Setting): void {
  const predict = async (body: object, headers = {}) =>
    asker(setting())('POST', '/predict', { body: { prompt: PROMPT, ...body }, headers });
  const answerOf = async (response: Response) => {
    expect(response.status).toBe(200);
    return generateAnswerSchema.parse(await response.json());
  };

  describe('pictures', () => {
    test("the Truss example's body gives a PNG in base64, and what made it", async () => {
      const response = await predict({ num_steps: 2 });
      const answer = await answerOf(response);
      expect(answer).toMatchObject({ num_steps: 2, output_format: 'png', decoder: 'vae', tokens_cut: 0 });
      const { side } = setting();
      const picture = await sharp(Buffer.from(answer.result, 'base64')).metadata();
      expect(picture).toMatchObject({ format: 'png', width: side, height: side });
      expect(answer.results).toBeUndefined();
      expect(response.headers.get('content-type')).toMatch(/^application\/json/);
      expect(response.headers.get('server-timing')).toMatch(/unet;dur=/);
      expect(response.headers.get('preference-applied')).toBeNull();
    });

    test('the same seed gives the same bytes, another one others, and the seed used comes back', async () => {
      const first = await answerOf(await predict({}));
      const again = await answerOf(await predict({ seed: first.seed }));
      const other = await answerOf(await predict({ seed: first.seed === 0 ? 1 : 0 }));
      expect(again).toEqual(first);
      expect(other.result).not.toBe(first.result);
    });

    test.each(OUTPUT_FORMATS)('%s: as base64, and its bytes where `Accept` asks for them', async (format) => {
      const answer = await answerOf(await predict({ seed: 3, output_format: format }));
      expect(answer.output_format).toBe(format);
      const response = await predict({ seed: 3 }, { accept: `image/${format}, */*;q=0.5` });
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toBe(`image/${format}`);
      expect(response.headers.get('x-seed')).toBe('3');
      // A model that knows few words does not know the marker.
      expect(JSON.parse(response.headers.get('x-warnings') ?? 'null')).toEqual(answer.warnings ?? null);
      const raw = Buffer.from(await response.arrayBuffer());
      expect((await sharp(raw).metadata()).format).toBe(format);
      expect(raw.equals(Buffer.from(answer.result, 'base64'))).toBe(true);
    });

    test.each(NEGOTIATED)('Accept: %s with %j is answered as %s', async (accept, body, type) => {
      const response = await predict({ seed: 3, ...body }, { accept });
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toBe(type);
      expect(response.headers.get('vary')).toMatch(/\baccept\b/i);
      if (type === 'application/json') return void (await answerOf(response));
      const { format } = await sharp(Buffer.from(await response.arrayBuffer())).metadata();
      expect(`image/${format}`).toBe(type);
    });

    test('several pictures', async () => {
      const { result, results = [] } = await answerOf(await predict({ num_images: 2, seed: 11 }));
      expect(results).toHaveLength(2);
      expect(results[0]).toBe(result);
      expect(results[1]).not.toBe(result);
    });

    test('a picture to begin with', async () => {
      const { result: image } = await answerOf(await predict({ seed: 1 }));
      const begun = await answerOf(await predict({ seed: 2, image, num_steps: 2, strength: 0.5 }));
      const plain = await answerOf(await predict({ seed: 2, num_steps: 2 }));
      expect(begun.result).not.toBe(plain.result);
      const lines = image.replaceAll('+', '-').replaceAll('/', '_').replace(/.{76}/g, '$&\r\n');
      const spelled = `data:image/jpg;charset=utf-8;base64,${lines}\n`;
      const again = await answerOf(await predict({ seed: 2, image: spelled, num_steps: 2, strength: 0.5 }));
      expect(again.result).toBe(begun.result);
    });

    test('a prompt that is too long is drawn, and the answer says how much of it was cut', async () => {
      const answer = await answerOf(await predict({ prompt: 'a tree '.repeat(100) }));
      expect(answer.tokens_cut).toBe(200 - 75);
    });

    test("OpenAI's route gives the same kind of picture", async () => {
      const body = { model: 'sd-turbo', prompt: PROMPT, n: 2, size: '512x512', response_format: 'b64_json' };
      const response = await asker(setting())('POST', '/v1/images/generations', { body });
      expect(response.status).toBe(200);
      const { data } = openaiImageAnswerSchema.parse(await response.json());
      expect(data).toHaveLength(2);
      const picture = await sharp(Buffer.from(data[0]?.b64_json ?? '', 'base64')).metadata();
      expect(picture).toMatchObject({ format: 'png', width: 512 });
    });
  });
}
