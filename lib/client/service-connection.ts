import type { Problem as WireProblem } from '../schemas/problem.js';
import { checkUrl, keyHeaders } from './check-props.js';
import type { ClientProps } from './client.js';
import { ClientError } from './client-error.js';
import { explainSilence } from './explain-silence.js';
import { problemMessage, toProblem } from './wire.js';

/** Statuses after which the same request may succeed. */
const RETRYABLE: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** JSON, as the service's schemas have it. */
  readonly body: unknown;
}

export interface SendOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/** One request and its answer, errors included; no retries. */
export class ServiceConnection {
  readonly #base: string;
  readonly #key: Readonly<Record<string, string>>;
  readonly #fetch: typeof fetch;

  /** @throws ClientError for a URL or a key that no request can have */
  constructor({ url, apiKey, fetch: send = fetch }: ClientProps) {
    this.#base = checkUrl(url);
    this.#key = keyHeaders(apiKey);
    // A browser's own fetch works only as a method of its window.
    this.#fetch = (...args) => send(...args);
  }

  get(path: string, options: SendOptions): Promise<Answer> {
    return this.#call(path, { method: 'GET' }, options);
  }

  delete(path: string, options: SendOptions): Promise<Answer> {
    return this.#call(path, { method: 'DELETE' }, options);
  }

  post(path: string, body: unknown, options: SendOptions): Promise<Answer> {
    const sent =
      body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    return this.#call(path, { method: 'POST', ...sent }, options);
  }

  /** @returns an answer that has not been read: a stream of events, where `Accept` wants one, or JSON for `readAnswer` */
  open(path: string, options: SendOptions): Promise<Response> {
    return this.#open(path, { method: 'GET' }, options);
  }

  async #call(path: string, init: RequestInit, options: SendOptions): Promise<Answer> {
    return readAnswer(await this.#open(path, init, options), options.signal);
  }

  async #open(path: string, init: RequestInit, { headers, signal }: SendOptions): Promise<Response> {
    const all = { ...this.#key, accept: 'application/json', ...init.headers, ...headers };
    const response = await this.#send(this.#base + path, {
      ...init,
      headers: all,
      ...(signal ? { signal } : {}),
    });
    if (response.ok) return response;
    throw refusal(response, await readJson(response, signal));
  }

  async #send(url: string, init: RequestInit): Promise<Response> {
    try {
      return await this.#fetch(url, init);
    } catch (cause) {
      init.signal?.throwIfAborted();
      const error = await explainSilence(cause, {
        base: this.#base,
        key: this.#key,
        fetch: this.#fetch,
        signal: init.signal,
      });
      init.signal?.throwIfAborted();
      throw error;
    }
  }
}

export async function readAnswer(response: Response, signal: AbortSignal | undefined): Promise<Answer> {
  const body = await readJson(response, signal);
  return { status: response.status, headers: response.headers, body };
}

async function readJson(response: Response, signal: AbortSignal | undefined): Promise<unknown> {
  try {
    return await response.json();
  } catch (cause) {
    signal?.throwIfAborted();
    const { status } = response;
    const retryable = response.ok || RETRYABLE.has(status);
    throw new ClientError(`the answer (HTTP ${status}) is not JSON`, { status, retryable, cause });
  }
}

function refusal({ status, headers }: Response, body: unknown): ClientError {
  const problem = isProblem(body) ? toProblem(body) : undefined;
  const said = Number(headers.get('retry-after'));
  // The service keeps how a key's prediction ended: it will not end otherwise.
  const final = headers.get('idempotency-replayed') === 'true';
  return new ClientError(problem ? problemMessage(problem) : `HTTP ${status}`, {
    status,
    problem,
    retryable: RETRYABLE.has(status) && !final,
    retryAfterSeconds: Number.isFinite(said) && said > 0 ? said : undefined,
  });
}

function isProblem(body: unknown): body is WireProblem {
  return typeof body === 'object' && body !== null && 'detail' in body && typeof body.detail === 'string';
}
