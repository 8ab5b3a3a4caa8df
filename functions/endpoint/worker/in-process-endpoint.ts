import type { Hono } from 'hono';
import type {
  EndpointAnswer,
  EndpointState,
  InvokeContext,
  PushedEndpoint,
} from '../../../lib/predictions/endpoint.js';
import type { SeededRequest } from '../../../lib/schemas/prediction.js';
import { invokeEndpoint } from '../../shared/invoke-endpoint.js';
import type { ModelWatch } from '../model-watch.js';

/** Nothing listens there. */
const NOWHERE = 'http://worker.invalid';

/** The routes of this very process, by the way that requests over a socket take, without the socket. */
export class InProcessEndpoint implements PushedEndpoint {
  readonly #app: Hono;
  readonly #watch: Pick<ModelWatch, 'isBroken'>;

  /** @param app with `POST /invocations` */
  constructor(app: Hono, watch: Pick<ModelWatch, 'isBroken'>) {
    this.#app = app;
    this.#watch = watch;
  }

  /** Does not settle where the model is broken: this process is about to end, and no request is to end as failed. */
  async invoke(request: SeededRequest, context: InvokeContext): Promise<EndpointAnswer> {
    try {
      return await invokeEndpoint(NOWHERE, request, context, (url, init) =>
        this.#send(url, init, context.signal),
      );
    } catch (error) {
      if (this.#watch.isBroken) return new Promise(() => undefined);
      throw error;
    }
  }

  /** Whoever asks is awake. */
  async wake(): Promise<void> {}

  async state(): Promise<EndpointState> {
    return { state: 'ready' };
  }

  /** Settles when nothing of the request runs any more, also where its time is up: the next one finds the model free. */
  async #send(url: string, init: RequestInit, signal: AbortSignal): Promise<Response> {
    const response = await this.#app.fetch(new Request(url, init));
    signal.throwIfAborted();
    return response;
  }
}
