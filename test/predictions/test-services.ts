import { toProblem } from '../../functions/shared/problem-response.js';
import type { ApiServices, Delivery } from '../../lib/predictions/delivery/delivery.js';
import { PushedDelivery } from '../../lib/predictions/delivery/pushed-delivery.js';
import {
  EndpointError,
  type EndpointFault,
  type EndpointState,
  type PushedEndpoint,
} from '../../lib/predictions/endpoint.js';
import type { Message } from '../../lib/predictions/message-queue.js';
import type { WebhookCall, WebhookOutcome } from '../../lib/predictions/send-webhook.js';
import type { PredictionEvent, WorkerServices } from '../../lib/predictions/services.js';
import { Waker } from '../../lib/predictions/wake/waker.js';
import type { PredictRequest } from '../../lib/schemas/request.js';
import { MEMORY_LINKS, MemoryPredictionStore, MemoryWakeLog } from '../support/predictions/memory-stores.js';
import { pictureOf } from '../support/simulation/endpoint.js';

export const DAY_MS = 86_400_000;

export const REQUEST: PredictRequest = {
  prompt: 'a tree in a field',
  num_steps: 1,
  num_images: 1,
  output_format: 'png',
  decoder: 'vae',
};

/** Time that passes only where somebody waits for it. */
export class PatientClock {
  time = Date.UTC(2026, 0, 1);
  readonly now = () => this.time;
  sleep = async (ms: number): Promise<void> => {
    this.time += ms;
  };
  readonly timeout = () => new AbortController().signal;
  readonly random = () => 0.5;
}

/** How the endpoint answers: with a picture, or with a fault. */
export type Script = (count: number) => EndpointFault | undefined;

/** Real logic around memory, and everything that it does in plain sight. */
export class TestServices implements ApiServices, WorkerServices {
  readonly clock = new PatientClock();
  readonly store = new MemoryPredictionStore();
  readonly links = MEMORY_LINKS;
  readonly log = new MemoryWakeLog();
  readonly sent: { readonly message: Message; readonly delay: number }[] = [];
  readonly events: PredictionEvent[] = [];
  readonly told: WebhookCall[] = [];
  readonly queue = {
    send: async (message: Message, delay = 0) => {
      this.sent.push({ message, delay });
    },
  };
  readonly toProblem = toProblem;
  readonly onEvent = (event: PredictionEvent) => void this.events.push(event);
  readonly endpoint: PushedEndpoint;
  readonly delivery: Delivery;
  readonly waker: Waker;
  readonly retentionMs = DAY_MS;
  invocations = 0;
  wakes = 0;
  script: Script = () => undefined;
  state: EndpointState = { state: 'asleep' };
  webhook: WebhookOutcome = { delivered: true };

  constructor() {
    this.endpoint = {
      invoke: async (request) => {
        const fault = this.script(this.invocations++);
        if (fault) throw new EndpointError(fault, `the endpoint is ${fault}`);
        return { answer: pictureOf(request), timings: { unet: 12 } };
      },
      wake: async () => {
        this.wakes++;
      },
      state: async () => this.state,
    };
    this.delivery = new PushedDelivery(this.endpoint);
    this.waker = new Waker({ endpoint: this.endpoint, log: this.log, now: this.clock.now });
  }

  readonly sendWebhook = async (call: WebhookCall) => {
    this.told.push(call);
    return this.webhook;
  };
}
