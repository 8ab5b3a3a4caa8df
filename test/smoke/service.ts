import { problemSchema } from '../../lib/schemas/problem.js';

export interface ServiceProps {
  /** Without a slash at its end. */
  readonly url: string;
  readonly key: string;
}

/** A deployed service, asked as its callers ask it. */
export class Service {
  readonly #props: ServiceProps;

  constructor(props: ServiceProps) {
    this.#props = props;
  }

  get(path: string, headers: Record<string, string> = { 'x-api-key': this.#props.key }): Promise<Response> {
    // A location is whole already.
    const url = path.startsWith('http') ? path : `${this.#props.url}${path}`;
    return fetch(url, { headers, signal: AbortSignal.timeout(60_000) });
  }

  post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(`${this.#props.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': this.#props.key, ...headers },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(60_000),
    });
  }

  /** The key as OpenAI's clients send it. */
  get bearer(): Record<string, string> {
    return { authorization: `Bearer ${this.#props.key}`, 'x-api-key': '' };
  }
}

/** Fails unless an answer has this status, and reads its JSON. */
export async function json<T>(response: Response, status: number): Promise<T> {
  const text = await response.text();
  if (response.status !== status)
    throw new Error(`${response.status} instead of ${status}: ${text.slice(0, 300)}`);
  return JSON.parse(text) as T;
}

/** Fails unless an answer is a refusal in the service's shape. */
export async function refused(response: Response, status: number): Promise<string> {
  const problem = problemSchema.parse(await json(response, status));
  const type = response.headers.get('content-type') ?? '';
  if (!type.startsWith('application/problem+json')) throw new Error(`the content type is ${type}`);
  if (problem.status !== status) throw new Error(`the problem says ${problem.status}`);
  return problem.detail;
}

export function expectThat(isTrue: boolean, message: string): void {
  if (!isTrue) throw new Error(message);
}
