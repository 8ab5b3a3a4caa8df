import { describe, expect, test } from 'vitest';
import {
  type PredictionList,
  predictionListSchema,
} from '../../../lib/schemas/predictions/prediction-list.js';
import { ASYNC, asker, PROMPT, problemOf, type Setting } from './setting.js';

/** `GET /predictions`. */
export function listing(setting: () => Setting): void {
  const submit = async (headers: Record<string, string> = ASYNC) => {
    const response = await asker(setting())('POST', '/predict', { body: { prompt: PROMPT }, headers });
    return response;
  };
  const idOf = async (response: Response) => {
    expect(response.status).toBe(202);
    return ((await response.json()) as { id: string }).id;
  };
  const page = async (query = '', credentials = setting().credentials): Promise<PredictionList> => {
    const response = await asker(setting())('GET', `/predictions${query}`, { credentials });
    expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'no-store']);
    return predictionListSchema.parse(await response.json());
  };
  const idsOf = ({ predictions }: PredictionList) => predictions.map(({ id }) => id);

  describe('the list of predictions', () => {
    test('the newest are first, a page goes on behind the one before, and no picture is in it', async () => {
      const ids: string[] = [];
      for (let i = 0; i < 5; i++) ids.unshift(await idOf(await submit()));
      const first = await page('?limit=2');
      expect(idsOf(first)).toEqual(ids.slice(0, 2));
      const second = await page(`?limit=2&cursor=${first.next_cursor}`);
      expect(idsOf(second)).toEqual(ids.slice(2, 4));
      const rest = await page(`?cursor=${second.next_cursor}&limit=100`);
      expect(idsOf(rest)[0]).toBe(ids[4]);
      for (const { id, status_url } of rest.predictions)
        expect(status_url).toBe(`${setting().baseUrl}/predictions/${id}`);
      const ask = asker(setting());
      await ask('GET', `/predictions/${ids[4]}`, { headers: { prefer: 'wait=20' } });
      const { created_at, completed_at } = (await (await ask('GET', `/predictions/${ids[4]}`)).json()) as {
        [name: string]: string;
      };
      const [summary] = (await page(`?cursor=${second.next_cursor}`)).predictions;
      expect(summary).toMatchObject({ status: 'succeeded', created_at, completed_at });
    });

    test('what was answered at once is in it where it has a key, once', async () => {
      const headers = { 'idempotency-key': 'listed' };
      const answered = await submit(headers);
      expect(answered.status).toBe(200);
      const again = await submit(headers);
      const id = again.headers.get('location')?.split('/').at(-1);
      const { predictions } = await page('?limit=100');
      expect(predictions.filter((each) => each.id === id)).toEqual([
        expect.objectContaining({ status: 'succeeded' }),
      ]);
    });

    test('nobody sees what another one has asked for', async ({ skip }) => {
      const { stranger } = setting();
      if (!stranger) return skip('this setting has one key only');
      const id = await idOf(await submit());
      expect(idsOf(await page('', stranger))).not.toContain(id);
      expect(idsOf(await page())).toContain(id);
    });

    test.each([
      ['limit', '0'],
      ['limit', '101'],
      ['limit', 'many'],
      ['cursor', ''],
      ['cursor', '..%2F..'],
      ['cursor', 'a'.repeat(5000)],
    ])('a bad %s, case %#: 400 that names it', async (field, value) => {
      const response = await asker(setting())('GET', `/predictions?${field}=${value}`);
      expect(response.status).toBe(400);
      expect((await problemOf(response)).errors?.map((error) => error.field)).toEqual([field]);
    });
  });
}
