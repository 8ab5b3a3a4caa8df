import { setTimeout as wait } from 'node:timers/promises';
import { type Prediction, predictionSchema } from '../../lib/schemas/prediction.js';
import type { Emulator } from './emulator.js';

const API = /^https:\/\/(\w+)\.execute-api\.[\w-]+\.amazonaws\.com/;

export interface DeployedStackProps {
  readonly emulator: Emulator;
  readonly name: string;
  /** As the deploy has printed it. */
  readonly url: string;
  readonly key: string;
}

/** A service that was deployed, as its callers have it: a URL and a key. */
export class DeployedStack {
  /** Whether a wake is so short that a request waits for it, once it is known to be. */
  readonly waitsForWakes: boolean = false;
  readonly name: string;
  readonly url: string;
  readonly key: string;
  protected readonly emulator: Emulator;

  constructor({ emulator, name, url, key }: DeployedStackProps) {
    this.name = name;
    this.url = url;
    this.key = key;
    this.emulator = emulator;
  }

  /** `fetch`, which finds the emulated gateway by the service's own URL. */
  fetch = (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const gateway = `${this.emulator.environment['AWS_ENDPOINT_URL']}/_aws/execute-api/$1`;
    const url = (input instanceof Request ? input.url : String(input)).replace(API, gateway);
    return input instanceof Request ? fetch(new Request(url, input), init) : fetch(url, init);
  };

  get(path: string, headers: Record<string, string> = {}): Promise<Response> {
    return this.fetch(this.url + path, { headers: { 'x-api-key': this.key, ...headers } });
  }

  predict(body: object, headers: Record<string, string> = {}): Promise<Response> {
    return this.fetch(`${this.url}/predict`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': this.key, ...headers },
      body: JSON.stringify(body),
    });
  }

  /** A prediction when it has ended. */
  async ended(id: string): Promise<Prediction> {
    for (;;) {
      const response = await this.get(`/predictions/${id}`, { prefer: 'wait=20' });
      if (response.status !== 200) throw new Error(`${id}: ${response.status} ${await response.text()}`);
      const prediction = predictionSchema.parse(await response.json());
      if (prediction.status !== 'queued') return prediction;
    }
  }

  /** Lets the alarm on idleness go off, and waits until no copy is up. */
  sleep(): Promise<void> {
    return this.#scale('IdleAlarm', 0);
  }

  /** The backstop: the alarm on requests that found no copy. */
  wakeByAlarm(): Promise<void> {
    return this.#scale('WakeAlarm', 1);
  }

  async #scale(alarm: string, copies: number): Promise<void> {
    await this.settled();
    await this.emulator.raiseAlarm(`${this.name}-EndpointScaling${alarm}`);
    const state = await this.settled();
    if (state.copies !== copies) throw new Error(`after ${alarm} there are ${state.copies} copies`);
  }

  /** The component, when nothing changes in it. */
  async settled() {
    for (;;) {
      const state = await this.emulator.component(this.name);
      if (state.status === 'Failed') throw new Error(`${this.name} has failed: ${state.failure}`);
      if (state.status === 'InService' && state.copies === state.desired) return state;
      await wait(100);
    }
  }
}
