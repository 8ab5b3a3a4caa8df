import { describe, expect, test } from 'vitest';
import { predictionSchema } from '../../../lib/schemas/prediction.js';
import { predictionListSchema } from '../../../lib/schemas/predictions/prediction-list.js';
import { ASYNC, asker, PROMPT, problemOf, type Setting } from './setting.js';

const WAIT = { prefer: 'wait=20' };
const SEVERAL = 6;
/** Of tests that wake a real worker, on machines that have much else to do. */
const WAKES = { timeout: 240_000 };

/** `DELETE /predictions/{id}`. */
export function canceling(setting: () => Setting): void {
  const submit = async (headers: Record<string, string> = {}) => {
    const props = { body: { prompt: PROMPT }, headers: { ...ASYNC, ...headers } };
    const response = await asker(setting())('POST', '/predict', props);
    expect(response.status).toBe(202);
    return ((await response.json()) as { id: string }).id;
  };
  const cancel = (id: string, credentials = setting().credentials) =>
    asker(setting())('DELETE', `/predictions/${id}`, { credentials });
  const ended = async (id: string) => {
    for (;;) {
      const response = await asker(setting())('GET', `/predictions/${id}`, { headers: WAIT });
      const prediction = predictionSchema.parse(await response.json());
      if (prediction.status !== 'queued') return prediction;
    }
  };

  /** What other tests have left is drawn. */
  const settled = async () => {
    const response = await asker(setting())('GET', '/predictions?limit=100');
    const { predictions } = predictionListSchema.parse(await response.json());
    for (const { id, status } of predictions) if (status === 'queued') await ended(id);
  };

  describe('canceling', () => {
    test('of several, each is canceled or drawn, as its answer has said', WAKES, async () => {
      await settled();
      const before = await setting().drawn?.();
      const ids = await Promise.all(Array.from({ length: SEVERAL }, () => submit()));
      const answers = await Promise.all(ids.map((id) => cancel(id)));
      const statuses = await Promise.all(ids.map(async (id) => (await ended(id)).status));
      for (const [i, answer] of answers.entries()) {
        expect([200, 409]).toContain(answer.status);
        expect(statuses[i]).toBe(answer.status === 200 ? 'canceled' : 'succeeded');
      }
      const drawn = statuses.filter((status) => status === 'succeeded').length;
      if (before !== undefined) expect(await setting().drawn?.()).toBe(before + drawn);
    });

    test('while it sleeps: nothing is drawn, also when it has woken', WAKES, async ({ skip }) => {
      const { sleep, drawn, waitsForWakes } = setting();
      if (!sleep) return skip('the endpoint of this setting does not sleep');
      await settled();
      await sleep();
      const before = await drawn?.();
      const key = { 'idempotency-key': 'canceled' };
      const id = await submit(key);
      const canceled = await cancel(id);
      expect(canceled.status).toBe(200);
      const prediction = predictionSchema.parse(await canceled.json());
      expect(prediction).toMatchObject({ id, status: 'canceled', completed_at: expect.any(String) });
      expect(await (await cancel(id)).json()).toEqual(prediction);
      expect(await ended(id)).toEqual(prediction);
      const ask = asker(setting());
      const picture = await ask('GET', `/predictions/${id}`, { headers: { accept: 'image/png' } });
      expect([picture.status, (await problemOf(picture)).detail]).toEqual([
        410,
        expect.stringMatching(/canceled/),
      ]);
      const again = await ask('POST', '/predict', {
        body: { prompt: PROMPT },
        headers: { ...ASYNC, ...key },
      });
      expect(again.status).toBe(410);
      // What comes after it is drawn, and it alone.
      const next = await submit();
      expect((await ended(next)).status).toBe('succeeded');
      if (before !== undefined && !waitsForWakes) expect(await drawn?.()).toBe(before + 1);
    });

    test('what has ended, what there is not, and what is another one’s', async () => {
      const id = await submit();
      expect((await ended(id)).status).toBe('succeeded');
      const late = await cancel(id);
      expect([late.status, (await problemOf(late)).detail]).toEqual([
        409,
        expect.stringMatching(/has succeeded/),
      ]);
      for (const unknown of ['a'.repeat(32), 'A', '..%2Fwake'])
        expect((await cancel(unknown)).status).toBe(404);
      const { stranger } = setting();
      if (stranger) expect((await cancel(id, stranger)).status).toBe(404);
    });
  });
}
