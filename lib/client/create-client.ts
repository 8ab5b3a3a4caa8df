import type { GenerateAnswer, LinkedAnswer } from '../schemas/answer.js';
import type { Health as WireHealth } from '../schemas/health.js';
import type { Accepted, Prediction as WirePrediction } from '../schemas/prediction.js';
import type { PredictionList as WireList } from '../schemas/predictions/prediction-list.js';
import type { Client, ClientProps, GenerateOptions, SubmitOptions } from './client.js';
import { ClientError } from './client-error.js';
import { askHealth, askPrediction, followPrediction, predictionPath, readImages } from './follow.js';
import type { PredictInput } from './generate-input.js';
import type { GeneratedImages } from './generated-images.js';
import { withPatience } from './patience.js';
import type { CanceledPrediction } from './prediction.js';
import { randomId } from './random-id.js';
import { ServiceConnection } from './service-connection.js';
import { toBody, toHealth, toList, toPrediction } from './wire.js';

const NO_PICTURE = 'no picture';

/**
 * A client of one service, for browsers, Node and their like: nothing but `fetch`.
 *
 * @throws ClientError for a URL or a key that no request can have
 */
export function createClient(props: ClientProps): Client {
  const connection = new ServiceConnection(props);
  return {
    generate: (input, options = {}) => generate(connection, input, options),
    submit: (input, options = {}) => submit(connection, input, options),
    async get(id, options = {}) {
      const { body } = await askPrediction(connection, predictionPath(id), options);
      return toPrediction(body as WirePrediction);
    },
    async list({ limit, cursor, signal } = {}) {
      const query = new URLSearchParams();
      if (limit !== undefined) query.set('limit', String(limit));
      if (cursor !== undefined) query.set('cursor', cursor);
      const path = ['/predictions', String(query)].filter(Boolean).join('?');
      const { body } = await connection.get(path, { signal });
      return toList(body as WireList);
    },
    async cancel(id, { signal } = {}) {
      const { body } = await connection.delete(predictionPath(id), { signal });
      return toPrediction(body as WirePrediction) as CanceledPrediction;
    },
    follow: (id, options = {}) =>
      withPatience(NO_PICTURE, options, (patience) => followPrediction(connection, id, patience)),
    health: ({ signal } = {}) => askHealth(connection, signal),
    async warmUp({ signal } = {}) {
      const { body } = await connection.post('/warmup', undefined, { signal });
      return toHealth(body as WireHealth);
    },
  };
}

async function generate(
  connection: ServiceConnection,
  input: PredictInput,
  options: GenerateOptions,
): Promise<GeneratedImages> {
  const headers = { 'idempotency-key': options.idempotencyKey ?? randomId() };
  return withPatience(NO_PICTURE, options, async (patience) => {
    const { signal, tell, retry } = patience;
    tell({ phase: 'sending' });
    const body = await toBody(input);
    const answer = await retry(() => connection.post('/predict', body, { headers, signal }));
    if (answer.status !== 202) return readImages(answer.body as GenerateAnswer | LinkedAnswer, answer);
    return followPrediction(connection, (answer.body as Accepted).id, patience);
  });
}

async function submit(
  connection: ServiceConnection,
  input: PredictInput,
  options: SubmitOptions,
): Promise<{ id: string }> {
  const headers = { 'idempotency-key': options.idempotencyKey ?? randomId(), prefer: 'respond-async' };
  return withPatience('no answer', options, async ({ signal, retry }) => {
    const body = await toBody(input);
    const answer = await retry(() => connection.post('/predict', body, { headers, signal }));
    if (answer.status === 202) return { id: (answer.body as Accepted).id };
    // It has ended already, under the same key.
    const id = answer.headers.get('location')?.split('/').at(-1);
    if (id) return { id };
    throw new ClientError('the prediction of this idempotencyKey has ended: generate() has its pictures');
  });
}
