import { PulledDelivery } from '../../lib/predictions/delivery/pulled-delivery.js';
import type { PulledEndpoint } from '../../lib/predictions/endpoint.js';
import type { Message } from '../../lib/predictions/message-queue.js';
import { processMessage } from '../../lib/predictions/process-message.js';
import { Waker } from '../../lib/predictions/wake/waker.js';
import { TestServices } from './test-services.js';

/** As `TestServices`, with a worker that fetches its messages some time after they were sent. */
export class PulledServices extends TestServices {
  readonly begun = this.clock.now();
  listens: () => Promise<boolean> = async () => true;
  /** Messages that wait to be drawn. */
  backlog = 1;
  readonly pulled: { readonly endpoint: PulledEndpoint; readonly backlog: () => Promise<number> };
  override readonly delivery: PulledDelivery;
  override readonly waker: Waker;

  constructor() {
    super();
    const { clock, log, state } = this;
    const endpoint = {
      wake: async () => void this.wakes++,
      state: async () => state,
      listens: () => this.listens(),
    };
    this.pulled = { endpoint, backlog: async () => this.backlog };
    this.delivery = new PulledDelivery(endpoint);
    this.waker = new Waker({ endpoint, log, now: clock.now, firstEstimate: 60 });
  }

  /** From now on a worker draws each message so many milliseconds after it was sent. */
  workAfter(milliseconds: number): void {
    const due: { readonly at: number; readonly message: Message }[] = [];
    const { send } = this.queue;
    const clock = this.clock;
    this.queue.send = async (message, delay) => {
      await send(message, delay);
      if (message.kind === 'predict') due.push({ at: clock.now() + milliseconds, message });
    };
    clock.sleep = async (ms: number) => {
      const end = clock.now() + ms;
      for (let next = due[0]; next && next.at <= end; next = due[0]) {
        due.shift();
        clock.time = Math.max(clock.time, next.at);
        await processMessage(next.message, this);
      }
      clock.time = Math.max(clock.time, end);
    };
  }
}
