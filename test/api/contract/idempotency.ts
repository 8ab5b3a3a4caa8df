import { describe, expect, test } from 'vitest';
import { generateAnswerSchema } from '../../../lib/schemas/answer.js';
import { ASYNC, asker, MARKER, PROMPT, type Setting } from './setting.js';

/** `Idempotency-Key`. */
export function idempotency(setting: () => Setting): void {
  const key = (name: string) => ({ 'idempotency-key': `${name}-${MARKER}` });
  const predict = (name: string, body: object = {}, headers = {}, credentials = setting().credentials) =>
    asker(setting())('POST', '/predict', {
      body: { prompt: PROMPT, ...body },
      headers: { ...key(name), ...headers },
      credentials,
    });
  const answerOf = async (response: Response) => {
    expect(response.status).toBe(200);
    return generateAnswerSchema.parse(await response.json());
  };
  const replayed = (response: Response) => response.headers.get('idempotency-replayed');

  describe('Idempotency-Key', () => {
    test('the same key and body: the same picture, drawn once', async () => {
      const before = await setting().drawn?.();
      const first = await predict('same');
      expect(replayed(first)).toBeNull();
      const answer = await answerOf(first);
      const again = await predict('same', { num_steps: 1, decoder: 'vae' });
      expect(replayed(again)).toBe('true');
      expect(await answerOf(again)).toEqual(answer);
      const place = new URL(again.headers.get('location') ?? '').pathname.split('/').at(-1);
      const kept = await asker(setting())('GET', `/predictions/${place}`);
      expect(await kept.json()).toMatchObject({ id: place, status: 'succeeded', result: answer.result });
      const quoted = await predict('', {}, { 'idempotency-key': `"same-${MARKER}"` });
      expect(await answerOf(quoted)).toEqual(answer);
      if (before !== undefined) expect(await setting().drawn?.()).toBe(before + 1);
    });

    test('eight at the same time: one picture', async () => {
      const before = await setting().drawn?.();
      const responses = await Promise.all(Array.from({ length: 8 }, () => predict('parallel')));
      const answers = await Promise.all(responses.map(answerOf));
      expect(new Set(answers.map(({ result }) => result)).size).toBe(1);
      expect(responses.filter((response) => replayed(response) === 'true')).toHaveLength(7);
      if (before !== undefined) expect(await setting().drawn?.()).toBe(before + 1);
    });

    test('another body: 409, also when it is sent to the queue', async () => {
      await answerOf(await predict('conflict', { seed: 1 }));
      expect((await predict('conflict', { seed: 2 })).status).toBe(409);
      expect((await predict('conflict', { seed: 2 }, ASYNC)).status).toBe(409);
      expect(replayed(await predict('conflict', { seed: 1 }))).toBe('true');
    });

    test('eight times into the queue: one prediction, whose picture the key gives, too', async () => {
      const responses = await Promise.all(Array.from({ length: 8 }, () => predict('queued', {}, ASYNC)));
      // Some may find the picture already.
      const accepted = responses.filter(({ status }) => status === 202);
      const bodies = (await Promise.all(accepted.map((r) => r.json()))) as { id: string }[];
      const ids = new Set(bodies.map(({ id }) => id));
      expect(ids.size).toBe(1);
      const path = `/predictions/${[...ids][0]}`;
      const prediction = await asker(setting())('GET', path, { headers: { prefer: 'wait=20' } });
      const { result } = await answerOf(await predict('queued'));
      expect(await prediction.json()).toMatchObject({ status: 'succeeded', result });
    });

    test('a failure that is final is kept, too', async () => {
      const body = { decoder: 'taesd' };
      expect((await predict('failed', body)).status).toBe(400);
      const again = await predict('failed', body);
      expect([again.status, replayed(again)]).toEqual([400, 'true']);
    });

    test("another caller's key is its own", async ({ skip }) => {
      const { stranger } = setting();
      if (!stranger) return skip('this setting has one key only');
      const mine = await answerOf(await predict('shared'));
      const other = await predict('shared', {}, {}, stranger);
      expect(replayed(other)).toBeNull();
      expect((await answerOf(other)).seed).not.toBe(mine.seed);
    });
  });
}
