import type { Hono } from 'hono';
import {
  type EndpointAnswer,
  EndpointError,
  type EndpointState,
  type InvokeContext,
  type PushedEndpoint,
} from '../../../lib/predictions/endpoint.js';
import type { SeededRequest } from '../../../lib/schemas/prediction.js';
import { invokeEndpoint } from '../../shared/invoke-endpoint.js';

/** The longest that one network may still run when a request's time is up; what takes longer never comes back. */
const STUCK_MS = 60_000;
/** Nothing listens there. */
const NOWHERE = 'http://worker.invalid';

export interface InProcessEndpointProps {
  /** With `POST /invocations`. */
  readonly app: Hono;
  /** Draws a picture that is known to succeed. Rejects where the model is broken. */
  readonly selfTest: () => Promise<unknown>;
  /** Told, once nothing can be drawn any more, why: whoever is told ends this process. */
  readonly onBroken: (error: unknown) => void;
  /** @default 60,000 */
  readonly stuckMs?: number;
}

/** The routes of this very process, by the way that requests over a socket take, without the socket. */
export class InProcessEndpoint implements PushedEndpoint {
  readonly #props: InProcessEndpointProps;

  constructor(props: InProcessEndpointProps) {
    this.#props = props;
  }

  /** Does not settle where the model is broken: no request is to blame then, and none is to end as failed. */
  async invoke(request: SeededRequest, context: InvokeContext): Promise<EndpointAnswer> {
    const { selfTest, onBroken } = this.#props;
    try {
      return await invokeEndpoint(NOWHERE, request, context, (url, init) =>
        this.#send(url, init, context.signal),
      );
    } catch (error) {
      const isFailure = error instanceof EndpointError && /^(model|numbers)$/.test(error.fault);
      // A GPU that is lost, or a thread that has ended, would fail every request that still waits.
      const reason = isFailure ? await selfTest().catch((broken: unknown) => broken) : undefined;
      if (reason === undefined) throw error;
      onBroken(reason);
      return new Promise(() => undefined);
    }
  }

  /** Whoever asks is awake. */
  async wake(): Promise<void> {}

  async state(): Promise<EndpointState> {
    return { state: 'ready' };
  }

  /** Settles when nothing of the request runs any more, also where its time is up: the next one finds the model free. */
  async #send(url: string, init: RequestInit, signal: AbortSignal): Promise<Response> {
    const { app, onBroken, stuckMs = STUCK_MS } = this.#props;
    let timer: NodeJS.Timeout | undefined;
    const watch = () => {
      const stuck = new Error('a picture that was given up is still being drawn');
      timer = setTimeout(() => onBroken(stuck), stuckMs);
    };
    signal.addEventListener('abort', watch, { once: true });
    try {
      const response = await app.fetch(new Request(url, init));
      signal.throwIfAborted();
      return response;
    } finally {
      signal.removeEventListener('abort', watch);
      clearTimeout(timer);
    }
  }
}
