import type { Hono } from 'hono';
import type {
  EndpointAnswer,
  EndpointState,
  InvokeContext,
  PushedEndpoint,
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
  /** Told of a run that does not end: no other will ever begin. */
  readonly onStuck: () => void;
  /** @default 60,000 */
  readonly stuckMs?: number;
}

/** The routes of this very process, by the way that requests over a socket take, without the socket. */
export class InProcessEndpoint implements PushedEndpoint {
  readonly #props: InProcessEndpointProps;

  constructor(props: InProcessEndpointProps) {
    this.#props = props;
  }

  invoke(request: SeededRequest, context: InvokeContext): Promise<EndpointAnswer> {
    return invokeEndpoint(NOWHERE, request, context, (url, init) => this.#send(url, init, context.signal));
  }

  /** Whoever asks is awake. */
  async wake(): Promise<void> {}

  async state(): Promise<EndpointState> {
    return { state: 'ready' };
  }

  /** Settles when nothing of the request runs any more, also where its time is up: the next one finds the model free. */
  async #send(url: string, init: RequestInit, signal: AbortSignal): Promise<Response> {
    const { app, onStuck, stuckMs = STUCK_MS } = this.#props;
    let timer: NodeJS.Timeout | undefined;
    const watch = () => {
      timer = setTimeout(onStuck, stuckMs);
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
