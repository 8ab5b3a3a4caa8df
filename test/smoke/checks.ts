import { setTimeout as wait } from 'node:timers/promises';
import { type GenerateAnswer, generateAnswerSchema } from '../../lib/schemas/answer.js';
import { healthSchema } from '../../lib/schemas/health.js';
import { type Prediction, predictionSchema } from '../../lib/schemas/prediction.js';
import { expectThat, json, refused, type Service } from './service.js';

/** Twice the longest wake that was reported. Seconds. */
const LONGEST_WAKE = 20 * 60;
const WARM_RUNS = 5;
const PNG = '89504e470d0a1a0a';
const PROMPT = 'A tree in a field under the night sky';

export interface Check {
  readonly name: string;
  /** @returns what a person may want to know */
  readonly run: (service: Service) => Promise<string>;
}

/** From what needs no GPU to what does; the first that does waits for it to wake. */
export const CHECKS: readonly Check[] = [
  { name: 'health, without a key', run: async (service) => (await health(service)).state },
  {
    name: 'pages, without a key',
    async run(service) {
      for (const path of ['/', '/docs', '/openapi.json']) {
        const { status } = await service.get(path, {});
        expectThat(status === 200, `${path} answers ${status}`);
      }
      return 'playground, documentation, OpenAPI';
    },
  },
  {
    name: 'no key',
    run: async (service) => refused(await service.post('/predict', {}, { 'x-api-key': '' }), 401),
  },
  {
    name: 'a wrong key',
    run: async (service) => refused(await service.post('/predict', {}, { 'x-api-key': 'x'.repeat(24) }), 401),
  },
  {
    name: 'a wrong request',
    run: async (service) => refused(await service.post('/predict', { prompt: 'a', num_steps: 9 }), 400),
  },
  { name: 'a wrong path', run: async (service) => refused(await service.get('/nowhere'), 404) },
  { name: 'a picture, after a wake where it slept', run: wake },
  { name: `${WARM_RUNS} warm pictures`, run: warm },
  {
    name: 'the bytes of a picture',
    async run(service) {
      const response = await service.post('/predict', { prompt: PROMPT }, { accept: 'image/png' });
      const bytes = Buffer.from(await response.arrayBuffer());
      expectThat(bytes.subarray(0, 8).toString('hex') === PNG, `${response.status}, and no PNG`);
      return `${bytes.length} bytes`;
    },
  },
  {
    name: 'the same seed, the same bytes',
    async run(service) {
      const [first, second] = [await draw(service, { seed: 7 }), await draw(service, { seed: 7 })];
      expectThat(first.result === second.result, 'they differ');
      return `${first.result.length} characters`;
    },
  },
  {
    name: "OpenAI's route, with a bearer",
    async run(service) {
      const body = { prompt: PROMPT, n: 1, size: '512x512', response_format: 'b64_json' };
      const answer = await json<{ data: { b64_json: string }[] }>(
        await service.post('/v1/images/generations', body, service.bearer),
        200,
      );
      expectThat((answer.data[0]?.b64_json.length ?? 0) > 100, 'no picture');
      return '';
    },
  },
  { name: 'later, by its address; twice with one key is once', run: later },
];

async function health(service: Service) {
  return healthSchema.parse(await json(await service.get('/health', {}), 200));
}

async function draw(service: Service, fields: object): Promise<GenerateAnswer> {
  const response = await service.post('/predict', { prompt: PROMPT, ...fields });
  return generateAnswerSchema.parse(await json(response, 200));
}

async function wake(service: Service): Promise<string> {
  const started = Date.now();
  const response = await service.post('/predict', { prompt: PROMPT, seed: 1 }, { prefer: 'wait=20' });
  if (response.status === 200) {
    const { model } = generateAnswerSchema.parse(await response.json());
    return `it was awake; ${model}`;
  }
  await json(response, 202);
  const done = await follow(service, response.headers.get('location') ?? '');
  return `${((Date.now() - started) / 1000).toFixed(0)} s from the request to the picture; ${done.model}`;
}

/** Waits for a prediction as a client does. */
async function follow(service: Service, location: string) {
  const ends = Date.now() + LONGEST_WAKE * 1000;
  while (Date.now() < ends) {
    const prediction: Prediction = predictionSchema.parse(await json(await service.get(location), 200));
    if (prediction.status === 'succeeded') return prediction;
    if (prediction.status === 'failed') throw new Error(`it failed: ${prediction.error.detail}`);
    await wait(2_000);
  }
  throw new Error(`no picture within ${LONGEST_WAKE / 60} minutes`);
}

async function warm(service: Service): Promise<string> {
  const seconds: number[] = [];
  let phases = '';
  for (let run = 0; run < WARM_RUNS; run++) {
    const started = performance.now();
    const response = await service.post('/predict', { prompt: PROMPT, num_steps: 1 });
    generateAnswerSchema.parse(await json(response, 200));
    seconds.push((performance.now() - started) / 1000);
    phases = response.headers.get('server-timing') ?? '';
  }
  const median = seconds.toSorted((a, b) => a - b)[WARM_RUNS >> 1] as number;
  return `median ${median.toFixed(2)} s; ${phases}`;
}

async function later(service: Service): Promise<string> {
  const headers = { prefer: 'respond-async', 'idempotency-key': `smoke-${Date.now()}` };
  const ask = () => service.post('/predict', { prompt: PROMPT }, headers);
  const first = await ask();
  const { id } = await json<{ id: string }>(first, 202);
  await follow(service, first.headers.get('location') ?? '');
  const again = await ask();
  expectThat(again.headers.get('idempotency-replayed') === 'true', 'the second one was drawn anew');
  return id;
}
