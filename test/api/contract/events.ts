import { describe, expect, test } from 'vitest';
import { predictionSchema } from '../../../lib/schemas/prediction.js';
import { predictionProgressSchema } from '../../../lib/schemas/predictions/prediction-progress.js';
import { collectEvents } from '../../support/collect-events.js';
import { ASYNC, asker, PROMPT, problemOf, type Setting } from './setting.js';

/** Of tests that wake a real worker, on machines that have much else to do. */
const WAKES = { timeout: 240_000 };
const RANK = ['queued', 'waking', 'drawing'];

/** Server-sent events of `GET /predictions/{id}`. */
export function events(setting: () => Setting): void {
  const submit = async (body = {}) => {
    const props = { body: { prompt: PROMPT, ...body }, headers: ASYNC };
    const response = await asker(setting())('POST', '/predict', props);
    expect(response.status).toBe(202);
    return ((await response.json()) as { id: string }).id;
  };
  const open = (id: string, last?: string, accept = 'text/event-stream') =>
    asker(setting())('GET', `/predictions/${id}`, {
      headers: { accept, ...(last === undefined ? {} : { 'last-event-id': last }) },
    });
  /** As a browser follows them: again behind the last one, wherever an answer ends. */
  const follow = async (id: string) => {
    const all = [];
    for (let last: string | undefined; ; ) {
      const response = await open(id, last);
      expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
      const events = await collectEvents(response);
      all.push(...events);
      last = events.at(-1)?.id ?? last;
      if (events.at(-1)?.event === 'ended') return all;
    }
  };

  describe('events', () => {
    test('tell each phase once, and then the prediction as it is answered otherwise', async () => {
      const id = await submit({ seed: 33 });
      const told = await follow(id);
      const { data, event, id: last } = told.pop() ?? {};
      expect([event, last]).toEqual(['ended', 'succeeded']);
      const prediction = predictionSchema.parse(JSON.parse(data ?? ''));
      const answer = await asker(setting())('GET', `/predictions/${id}`);
      expect(prediction).toEqual(await answer.json());
      expect(prediction).toMatchObject({ status: 'succeeded', seed: 33 });
      const progress = told.map(
        (each) => [each.event, predictionProgressSchema.parse(JSON.parse(each.data))] as const,
      );
      for (const [name, said] of progress) expect([name, said.id]).toEqual(['progress', id]);
      expect(new Set(told.map((each) => each.id)).size).toBe(told.length);
    });

    test('what has ended is told at once, and once', async () => {
      const id = await submit();
      const first = (await follow(id)).at(-1);
      expect(await follow(id)).toEqual([first]);
      expect((await collectEvents(await open(id, 'queued-00000000'))).at(-1)).toEqual(first);
      const over = await open(id, 'succeeded');
      expect([over.status, await over.text()]).toEqual([204, '']);
    });

    // On a machine with much else to do it may be up before anybody has begun to follow.
    test('a wake is told phase by phase', { ...WAKES, retry: 2 }, async ({ skip }) => {
      const { sleep } = setting();
      if (!sleep) return skip('the endpoint of this setting does not sleep');
      await sleep();
      const told = await follow(await submit());
      expect(told.at(-1)?.id).toBe('succeeded');
      const phases = told.slice(0, -1).map(({ data }) => predictionProgressSchema.parse(JSON.parse(data)));
      const ranks = phases.map(({ phase }) => RANK.indexOf(phase));
      expect(phases.length).toBeGreaterThan(0);
      expect(ranks[0]).toBeLessThan(2);
      const waking = phases.find(({ phase }) => phase === 'waking');
      if (waking) expect(waking.health).toMatchObject({ state: 'waking', estimate: expect.any(Number) });
    });

    test('come to whoever wants them most, and to nobody who has not asked', async () => {
      const id = await submit();
      await follow(id);
      const typeOf = async (accept: string) =>
        (await open(id, undefined, accept)).headers.get('content-type');
      expect(await typeOf('text/event-stream, application/json;q=0.5')).toBe('text/event-stream');
      expect(await typeOf('application/json, text/event-stream;q=0.9')).toBe('application/json');
      expect(await typeOf('*/*')).toBe('application/json');
      expect(await typeOf('text/event-stream;q=0, */*')).toBe('application/json');
    });

    test('of what there is not, and of what is another one’s, there are none', async () => {
      const id = await submit();
      const { stranger } = setting();
      const headers = { accept: 'text/event-stream' };
      if (stranger) {
        const response = await asker(setting())('GET', `/predictions/${id}`, {
          headers,
          credentials: stranger,
        });
        expect(response.status).toBe(404);
      }
      for (const unknown of ['a'.repeat(32), 'nonsense']) {
        const response = await open(unknown);
        expect(response.status).toBe(404);
        await problemOf(response);
      }
      await follow(id);
    });
  });
}
