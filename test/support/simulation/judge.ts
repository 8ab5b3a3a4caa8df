import { predictionIdOf } from '../../../lib/predictions/records/prediction-id.js';
import type { GenerateAnswer } from '../../../lib/schemas/answer.js';
import type { Prediction } from '../../../lib/schemas/prediction.js';
import type { PredictRequest } from '../../../lib/schemas/request.js';
import { CALLER } from './api-server.js';
import { POISON, pictureOf } from './endpoint.js';
import type { World } from './world.js';

/** How often the worker lets the model fail on one request, and how often the connection. */
const FAILURES = 3;
const LOSSES = 10;

export type Verdict =
  | 'lost'
  | 'wrong'
  | 'double'
  | 'failed without need'
  | 'untold'
  | 'stuck'
  | 'woken too often'
  | 'defect';

/** What one client wants, and what the service calls it once that is known. */
export interface Case {
  readonly request: PredictRequest;
  readonly key: string | undefined;
  readonly waitMs: number;
  /** Undefined before the service has said so. */
  id?: string;
  accepted: boolean;
  /** The first end that anybody was told of. */
  end?: string;
}

/** Compares what clients see with what they must see. */
export class Judge {
  readonly violations: { readonly verdict: Verdict; readonly what: string }[] = [];
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  report(verdict: Verdict, what: string): void {
    this.violations.push({ verdict, what });
  }

  answered(client: Case, answer: GenerateAnswer): void {
    const { webhook: _, ...wanted } = client.request;
    const right = pictureOf({ ...wanted, seed: wanted.seed ?? answer.seed });
    const fields = Object.keys(right) as (keyof GenerateAnswer)[];
    if (fields.some((field) => right[field] !== answer[field])) this.report('wrong', JSON.stringify(answer));
    this.#ended(client, `succeeded ${answer.result}`);
  }

  failure(client: Case, reason: string): void {
    if (reason === '') this.report('wrong', 'a failure without a reason');
    if (!this.#mayFail(client)) this.report('failed without need', `${client.request.prompt}: ${reason}`);
    this.#ended(client, `failed ${reason}`);
  }

  /** Two clients with one key must see one end. */
  #ended(client: Case, end: string): void {
    if (client.end !== undefined && client.end !== end) this.report('double', `${client.end}, then ${end}`);
    client.end ??= end;
  }

  #mayFail({ request, key, id }: Case): boolean {
    const { endpoint, store, scenario } = this.#world;
    if (request.prompt.startsWith(POISON) || scenario.endpoint.wakeMs === Number.POSITIVE_INFINITY)
      return true;
    const known = id ?? (key === undefined ? undefined : predictionIdOf({ caller: CALLER, key }));
    const stored = known === undefined ? undefined : store.requests.get(known);
    const { failed, lost, refused } = endpoint.failuresOf(
      stored?.request ?? { ...request, seed: request.seed ?? -1 },
    );
    // Who waits with a key is told of the first failure, and so is everybody else with that key.
    if (refused > 0 || lost >= LOSSES) return true;
    return failed > 0 && (key !== undefined || failed + lost >= FAILURES);
  }

  /** After everything has come to rest. */
  final(client: Case, prediction: Prediction): void {
    if (prediction.status === 'queued') this.report('lost', `${client.request.prompt} is queued for ever`);
    this.see(client, prediction);
    if (client.request.webhook === undefined) return;
    const told = this.#world.told.get(prediction.id) ?? [];
    const ends = new Set(told.map((body) => endOf(body)));
    if (told.length === 0) this.report('untold', client.request.prompt);
    else if (ends.size > 1 || !ends.has(endOf(prediction)))
      this.report('double', 'the webhook was told otherwise');
    if (prediction.webhook?.status !== 'delivered')
      this.report('untold', `webhook: ${prediction.webhook?.status}`);
  }

  /** A prediction that has ended. */
  see(client: Case, prediction: Prediction): void {
    if (prediction.status === 'failed') this.failure(client, prediction.error.detail);
    if (!('result' in prediction)) return;
    const { id: _, created_at, status, completed_at, webhook, ...answer } = prediction;
    this.answered(client, answer);
  }

  wakes(): void {
    const { endpoint, trouble, deaths } = this.#world;
    const { log, wake, state } = trouble.counts;
    const disturbances = log + wake + state + deaths.api + deaths.worker;
    if (endpoint.wakeCalls > endpoint.sleeps + disturbances) {
      const { wakeCalls, sleeps } = endpoint;
      this.report('woken too often', `${wakeCalls} times in ${sleeps} sleeps, ${disturbances} disturbances`);
    }
  }
}

function endOf(prediction: Prediction): string {
  return 'result' in prediction ? prediction.result : prediction.status;
}
