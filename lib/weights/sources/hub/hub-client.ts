import { AppError } from '../../../errors/app-error.js';
import { type HubSubject, hubError, subjectName } from './hub-error.js';
import { retryAfter } from './retry-after.js';

/** How to reach the Hugging Face hub. */
export interface HubAccess {
  /** @default 'https://huggingface.co' */
  readonly endpoint?: string;
  /** Sent to the endpoint and to no other host. @default none */
  readonly token?: string;
  /** Milliseconds of any clock. @default Date.now */
  readonly now?: () => number;
}

const DEFAULT_ENDPOINT = 'https://huggingface.co';

/** From an old name to a new one, to a cache, to a CDN: three in practice. */
const MAX_REDIRECTS = 8;

export interface HubRequest {
  readonly url: string;
  /** @default none */
  readonly headers?: Readonly<Record<string, string>>;
  readonly subject: HubSubject;
  readonly signal: AbortSignal;
}

export interface HubAnswer {
  /** Successful; its body has not been read. */
  readonly response: Response;
  /** Of the hub's own first answer, which may have been a redirect to another host. */
  readonly hubHeaders: Headers;
}

/** Asks the hub, follows its redirects, and keeps the token from every other host. */
export class HubClient {
  readonly endpoint: string;
  readonly #token: string | undefined;
  readonly #now: () => number;
  #notBefore = 0;

  /** @throws AppError INVALID_INPUT */
  constructor({ endpoint = DEFAULT_ENDPOINT, token, now = Date.now }: HubAccess = {}) {
    this.endpoint = checkEndpoint(endpoint);
    // The message of a refused header would show it.
    if (token !== undefined && !/^[\x21-\x7e]+$/.test(token))
      throw new AppError('INVALID_INPUT', 'the Hugging Face token has characters that a token cannot have');
    this.#token = token;
    this.#now = now;
  }

  /** Milliseconds for which the hub has asked to be left alone. */
  holdOff(): number {
    return Math.max(0, this.#notBefore - this.#now());
  }

  /**
   * One attempt.
   *
   * @throws AppError that says what to do, for every answer but a success
   */
  async get({ url, headers = {}, subject, signal }: HubRequest): Promise<HubAnswer> {
    let at = new URL(url);
    let hubHeaders: Headers | undefined;
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      const response = await this.#fetch(at, headers, subject, signal);
      hubHeaders ??= response.headers;
      const location = response.headers.get('location');
      if (response.status >= 300 && response.status < 400 && location !== null) {
        await response.body?.cancel();
        at = this.#follow(location, at, subject);
        continue;
      }
      if (response.ok) return { response, hubHeaders };
      await response.body?.cancel();
      this.#heed(response);
      const byHub = this.#isHub(at);
      const asker = { endpoint: this.endpoint, hasToken: this.#token !== undefined, byHub };
      throw hubError(response.status, response.headers, subject, asker);
    }
    throw new AppError('UNAVAILABLE', `${subjectName(subject)}: more than ${MAX_REDIRECTS} redirects`);
  }

  async #fetch(
    url: URL,
    headers: Readonly<Record<string, string>>,
    subject: HubSubject,
    signal: AbortSignal,
  ): Promise<Response> {
    const authorization =
      this.#token === undefined || !this.#isHub(url) ? undefined : `Bearer ${this.#token}`;
    try {
      return await fetch(url, {
        // Ranges count bytes of the file, not of a compressed form of it.
        headers: { 'accept-encoding': 'identity', ...headers, ...(authorization && { authorization }) },
        redirect: 'manual',
        signal,
      });
    } catch (cause) {
      signal.throwIfAborted();
      const { cause: reason, message } = cause as Error & { cause?: Error & { code?: string } };
      const why = reason?.code ?? reason?.message ?? message;
      throw new AppError('UNAVAILABLE', `${subjectName(subject)}: no connection to ${url.host}: ${why}`, {
        cause,
      });
    }
  }

  #follow(location: string, from: URL, subject: HubSubject): URL {
    const to = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
    const safe = to?.protocol === 'https:' || (to?.protocol === 'http:' && from.protocol === 'http:');
    if (to && safe) return to;
    throw new AppError(
      'UNAVAILABLE',
      `${subjectName(subject)}: ${from.host} redirects to an address that is not https`,
      {
        retryable: false,
      },
    );
  }

  #heed({ status, headers }: Response): void {
    if (status !== 429 && status !== 503) return;
    this.#notBefore = Math.max(this.#notBefore, this.#now() + retryAfter(headers, this.#now()));
  }

  #isHub(url: URL): boolean {
    return url.origin === new URL(this.endpoint).origin;
  }
}

/** Without a slash at the end. */
function checkEndpoint(endpoint: string): string {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password || url.search || url.hash)
    throw new AppError(
      'INVALID_INPUT',
      'the Hugging Face endpoint must be an address like https://huggingface.co',
    );
  return url.href.replace(/\/+$/, '');
}
