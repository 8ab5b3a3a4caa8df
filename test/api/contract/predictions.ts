import { describe, expect, test } from 'vitest';
import { healthSchema } from '../../../lib/schemas/health.js';
import { type Prediction, predictionSchema } from '../../../lib/schemas/prediction.js';
import { until } from '../../support/until.js';
import { ASYNC, type Ask, asker, PROMPT, problemOf, type Setting } from './setting.js';

const WAIT = { prefer: 'wait=20' };
/** Of tests that wake a real worker, on machines that have much else to do. */
const WAKES = { timeout: 240_000 };

/** The path of a 202 answer, which must have all that it needs. */
async function acceptedPath(response: Response, { baseUrl }: Setting): Promise<string> {
  expect(response.status).toBe(202);
  const body = (await response.json()) as Record<string, unknown>;
  const { id } = body;
  const status_url = `${baseUrl}/predictions/${id}`;
  expect(body).toEqual({ id: expect.stringMatching(/^[a-z2-7]{32}$/), status: 'queued', status_url });
  expect(response.headers.get('location')).toBe(status_url);
  expect(response.headers.get('retry-after')).toMatch(/^([1-9]|[12]\d|30)$/);
  return `/predictions/${id}`;
}

/** @param looks how often to wait for it: a wake takes longer than one look where a machine is busy */
async function ended(ask: Ask, path: string, looks = 9): Promise<Prediction> {
  const response = await ask('GET', path, { headers: WAIT });
  expect(response.status).toBe(200);
  expect(response.headers.get('preference-applied')).toBe('wait=20');
  const prediction = predictionSchema.parse(await response.json());
  if (prediction.status === 'queued' && looks > 1) return ended(ask, path, looks - 1);
  expect(prediction.status).not.toBe('queued');
  return prediction;
}

/** What is answered later: 202, and `GET /predictions/{id}`. */
export function predictions(setting: () => Setting): void {
  describe('predictions', () => {
    test('`Prefer: respond-async` is answered at once, and the picture is the one of the same seed', async () => {
      const ask = asker(setting());
      const body = { prompt: PROMPT, seed: 21 };
      const response = await ask('POST', '/predict', { body, headers: ASYNC });
      expect(response.headers.get('preference-applied')).toBe('respond-async');
      const path = await acceptedPath(response, setting());
      const { id, status, created_at, ...rest } = await ended(ask, path);
      expect([path, status]).toEqual([`/predictions/${id}`, 'succeeded']);
      expect(Date.parse(created_at)).toBeLessThanOrEqual(Date.now());
      const drawn = await (await ask('POST', '/predict', { body })).json();
      const timings = expect.objectContaining({ unet: expect.any(Number) });
      expect(rest).toEqual({ completed_at: expect.any(String), timings, ...(drawn as object) });
    });

    test('`Accept` gets the bytes of a finished one, and `Prefer` is followed where it makes sense', async () => {
      const ask = asker(setting());
      const body = { prompt: PROMPT, output_format: 'webp' };
      const path = await acceptedPath(await ask('POST', '/predict', { body, headers: ASYNC }), setting());
      const prediction = await ended(ask, path);
      const raw = await ask('GET', path, { headers: { accept: 'image/*' } });
      expect(raw.headers.get('content-type')).toBe('image/webp');
      expect(raw.headers.get('server-timing')).toMatch(/unet;dur=\d.*total;dur=\d/);
      const bytes = Buffer.from(await raw.arrayBuffer()).toString('base64');
      expect(prediction).toMatchObject({ status: 'succeeded', result: bytes });
      expect(raw.headers.get('vary')).toMatch(/\baccept\b/i);
      const typeOf = async (accept: string) => {
        const answer = await ask('GET', path, { headers: { accept } });
        return answer.ok ? answer.headers.get('content-type') : answer.status;
      };
      expect(await typeOf('image/avif, image/webp;q=0.5')).toBe('image/webp');
      expect(await typeOf('image/png, */*;q=0.1')).toBe('application/json');
      expect(await typeOf('image/webp;q=0')).toBe('application/json');
      expect(await typeOf('image/png')).toBe(406);
      const applied = async (prefer: string) =>
        (await ask('GET', path, { headers: { prefer } })).headers.get('preference-applied');
      expect(await applied('wait=5')).toBe('wait=5');
      expect(await applied('wait=999999')).toBe('wait=25');
      expect(await applied('wait=soon, handling=lenient')).toBeNull();
      expect((await ask('GET', `${path}?wait=5`)).headers.get('preference-applied')).toBe('wait=5');
    });

    test('one that the endpoint refuses has failed, and says why', async () => {
      const ask = asker(setting());
      const body = { prompt: PROMPT, decoder: 'taesd' };
      const path = await acceptedPath(await ask('POST', '/predict', { body, headers: ASYNC }), setting());
      const prediction = await ended(ask, path);
      const error = { status: 400, detail: expect.stringContaining('taesd') };
      expect(prediction).toMatchObject({ status: 'failed', error });
      const raw = await ask('GET', path, { headers: { accept: 'image/png' } });
      expect(raw.status).toBe(400);
    });

    test('an unknown id is 404, which says how long results are kept; nonsense is 404, too', async () => {
      const ask = asker(setting());
      const unknown = await ask('GET', `/predictions/${'a'.repeat(32)}`);
      expect(unknown.status).toBe(404);
      expect((await problemOf(unknown)).detail).toMatch(/kept for [\d.]+ days? and then deleted/);
      for (const id of ['1', 'A'.repeat(32), '..%2Fwake', '%00', 'a'.repeat(5000)])
        expect((await ask('GET', `/predictions/${id}`)).status).toBe(404);
    });

    test('nobody sees what another one has asked for', async ({ skip }) => {
      const { stranger } = setting();
      if (!stranger) return skip('this setting has one key only');
      const ask = asker(setting());
      const body = { prompt: PROMPT };
      const path = await acceptedPath(await ask('POST', '/predict', { body, headers: ASYNC }), setting());
      expect((await ask('GET', path, { credentials: stranger })).status).toBe(404);
      await ended(ask, path);
    });

    test('one that has expired is 410, by its key, too', async ({ skip }) => {
      const { expire } = setting();
      if (!expire) return skip('nothing can be made older in this setting');
      const ask = asker(setting());
      const props = { body: { prompt: PROMPT }, headers: { ...ASYNC, 'idempotency-key': 'expires' } };
      const path = await acceptedPath(await ask('POST', '/predict', props), setting());
      const { id } = await ended(ask, path);
      await expire(id);
      const gone = await ask('GET', path);
      expect(gone.status).toBe(410);
      expect((await problemOf(gone)).detail).toMatch(/expired/);
      expect((await ask('POST', '/predict', props)).status).toBe(410);
    });

    test(
      'a sleeping endpoint: 202, it wakes, the picture comes, and the next request is warm',
      WAKES,
      async ({ skip }) => {
        const { sleep, waitsForWakes } = setting();
        if (!sleep) return skip('the endpoint of this setting does not sleep');
        const ask = asker(setting());
        const health = async () => healthSchema.parse(await (await ask('GET', '/health')).json());
        await sleep();
        expect((await health()).state).toBe('asleep');
        const openai = await ask('POST', '/v1/images/generations', { body: { prompt: PROMPT } });
        // Who waits gets the picture where the wake is over in time.
        expect(waitsForWakes ? [200, 503] : [503]).toContain(openai.status);
        if (openai.status === 503) expect(openai.headers.get('retry-after')).toMatch(/^\d+$/);
        if (waitsForWakes) await sleep();
        const headers = { accept: 'image/png', ...(waitsForWakes ? ASYNC : {}) };
        const cold = await ask('POST', '/predict', { body: { prompt: PROMPT, seed: 5 }, headers });
        const path = await acceptedPath(cold, setting());
        expect(await ended(ask, path)).toMatchObject({ status: 'succeeded', seed: 5 });
        expect((await health()).state).toBe('ready');
        expect((await ask('POST', '/predict', { body: { prompt: PROMPT } })).status).toBe(200);
      },
    );

    test(
      'a cold request that says how long it waits waits for a wake that may be over by then',
      WAKES,
      async ({ skip }) => {
        const { sleep } = setting();
        if (!sleep) return skip('the endpoint of this setting does not sleep');
        const ask = asker(setting());
        for (const [query, headers] of [
          ['', WAIT],
          ['?wait=20', {}],
        ] as const) {
          await sleep();
          const patient = await ask('POST', `/predict${query}`, { body: { prompt: PROMPT }, headers });
          const applied = patient.headers.get('preference-applied');
          // Whoever got no picture has waited for it all the time, or not at all.
          if (patient.status === 200) expect(applied).toBe('wait=20');
          else expect([null, 'wait=20']).toContain(applied);
          if (patient.status === 202)
            expect(await ended(ask, await acceptedPath(patient, setting()))).toMatchObject({
              status: 'succeeded',
            });
        }
      },
    );

    test('POST /warmup wakes without a prompt', WAKES, async ({ skip }) => {
      const ask = asker(setting());
      const warm = await ask('POST', '/warmup');
      expect(warm.status).toBe(202);
      expect(healthSchema.parse(await warm.json()).state).toBe('ready');
      const { sleep, waitsForWakes } = setting();
      if (!sleep) return skip('the endpoint of this setting does not sleep');
      await sleep();
      // Who has woken it a moment ago does not ask for it again at once.
      await until('it is woken', async () => {
        const cold = await ask('POST', '/warmup');
        expect(cold.status).toBe(202);
        return healthSchema.parse(await cold.json()).state === 'waking';
      });
      const later = await ask('POST', '/predict', { body: { prompt: PROMPT } });
      if (waitsForWakes && later.status === 200) return;
      const path = await acceptedPath(later, setting());
      expect((await ended(ask, path)).status).toBe('succeeded');
    });
  });
}
