import type { EndpointState, PulledEndpoint } from '../../../../lib/predictions/endpoint.js';
import { aboutModel } from '../../../../lib/schemas/model-about.js';
import type { WorkerState } from '../../../../lib/schemas/worker-state.js';
import { isFresh, type WorkerStateReader } from '../ec2/worker-state-reader.js';

export interface HiredWorkersProps {
  readonly worker: WorkerStateReader;
  /** Milliseconds since 1970. @default Date.now */
  readonly now?: () => number;
}

/** Workers that somebody else runs, and starts when there is work: this service only knows what they say of themselves. */
export class HiredWorkers implements PulledEndpoint {
  readonly #worker: WorkerStateReader;
  readonly #now: () => number;

  constructor({ worker, now = Date.now }: HiredWorkersProps) {
    this.#worker = worker;
    this.#now = now;
  }

  /** Does nothing: that messages wait is all there is to be seen. */
  async wake(): Promise<void> {}

  async listens(): Promise<boolean> {
    return (await this.#said())?.phase === 'ready';
  }

  async state(): Promise<EndpointState> {
    const said = await this.#said();
    return said ? describe(said) : { state: 'asleep' };
  }

  async #said(): Promise<WorkerState | undefined> {
    const said = await this.#worker.read();
    return said && isFresh(said, this.#now()) ? said : undefined;
  }
}

function describe(said: WorkerState): EndpointState {
  const { phase, error } = said;
  const about = aboutModel(said);
  if (phase === 'ready') return { state: 'ready', ...about };
  if (phase === 'stopping') return { state: 'asleep', ...about };
  if (phase === 'failed') return { state: 'failed', ...(error === undefined ? {} : { detail: error }) };
  return { state: 'waking', detail: phase, ...about };
}
