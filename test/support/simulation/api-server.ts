import { toProblem } from '../../../functions/shared/problem-response.js';
import { AppError } from '../../../lib/errors/app-error.js';
import type { ApiServices } from '../../../lib/predictions/delivery/delivery.js';
import { EndpointError } from '../../../lib/predictions/endpoint.js';
import { predict } from '../../../lib/predictions/predict.js';
import { readPrediction } from '../../../lib/predictions/read-prediction.js';
import type { GenerateAnswer } from '../../../lib/schemas/answer.js';
import type { Prediction } from '../../../lib/schemas/prediction.js';
import type { PredictRequest } from '../../../lib/schemas/request.js';
import type { Process } from './process.js';
import type { World } from './world.js';

/** What a client can tell apart. `unavailable`: 503, or no answer because the process died. */
export type Reply =
  | { readonly kind: 'answer'; readonly answer: GenerateAnswer }
  | { readonly kind: 'accepted'; readonly id: string }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'conflict' | 'missing' | 'unavailable' }
  | { readonly kind: 'defect'; readonly error: unknown };

export interface Seen {
  readonly kind: 'seen';
  readonly prediction: Prediction;
}

export interface Post {
  readonly request: PredictRequest;
  readonly key: string | undefined;
  readonly waitMs: number;
}

export const CALLER = 'caller';

/** One process of the API for all its requests, replaced when it dies. */
export class ApiServer {
  readonly #world: World;
  #process: Process;
  #services: ApiServices;

  constructor(world: World) {
    this.#world = world;
    this.#process = world.startProcess('api');
    this.#services = world.servicesOf(this.#process);
  }

  post({ request, key, waitMs }: Post): Promise<Reply> {
    const signal = new AbortController().signal;
    const keyed = key === undefined ? {} : { key };
    return this.#answer<Reply>(async (services) => {
      const props = { request, caller: CALLER, waitMs, requestId: 'request', signal, ...keyed };
      const outcome = await predict(props, services);
      if (outcome.kind === 'failed') return { kind: 'failed', reason: outcome.error.detail };
      // Nobody asks for addresses here.
      return outcome as Reply;
    });
  }

  get(id: string, waitMs: number): Promise<Seen | Reply> {
    return this.#answer(async (services) => {
      const prediction = await readPrediction({ id, caller: CALLER, waitMs }, services);
      return { kind: 'seen', prediction };
    });
  }

  async #answer<T extends Reply | Seen>(work: (services: ApiServices) => Promise<T>): Promise<T | Reply> {
    if (!this.#process.alive) {
      this.#process = this.#world.startProcess('api');
      this.#services = this.#world.servicesOf(this.#process);
    }
    const died = this.#process.died.then(() => ({ kind: 'unavailable' }) as const);
    return Promise.race([died, work(this.#services).catch(refusal)]);
  }
}

function refusal(error: unknown): Reply {
  if (error instanceof EndpointError) return { kind: 'failed', reason: toProblem(error, 'request').detail };
  const code = error instanceof AppError ? error.code : undefined;
  if (code === 'CONFLICT') return { kind: 'conflict' };
  if (code === 'NOT_FOUND') return { kind: 'missing' };
  return code === 'UNAVAILABLE' ? { kind: 'unavailable' } : { kind: 'defect', error };
}
