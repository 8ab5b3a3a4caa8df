import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { type EndpointStatus, endpointStatusSchema } from '../../../lib/schemas/endpoint-status.js';

const LISTENING = /"listening","port":(\d+)/;

/** The container's server as a process: started by a command line, spoken to over its socket. */
export class EndpointProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<number | null>;
  #log = '';

  constructor(command: readonly string[], environment: Readonly<Record<string, string>>) {
    const [program, ...args] = command as [string, ...string[]];
    this.#child = spawn(program, args, { env: { ...process.env, ...environment } });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (text) => (this.#log += text));
    this.#exited = new Promise((resolve) => this.#child.once('close', resolve));
  }

  /** Everything the process has written. */
  get log(): string {
    return this.#log;
  }

  /** Where it listens. */
  async url(): Promise<string> {
    for (;;) {
      const port = LISTENING.exec(this.#log)?.[1];
      if (port) return `http://127.0.0.1:${port}`;
      if (this.#child.exitCode !== null) throw new Error(`the endpoint ended: ${this.#log}`);
      await pause(20);
    }
  }

  async ping(): Promise<{ code: number; status: EndpointStatus }> {
    const response = await fetch(`${await this.url()}/ping`);
    return { code: response.status, status: endpointStatusSchema.parse(await response.json()) };
  }

  /** Waits until it takes work, or has failed for good. */
  async settled(): Promise<EndpointStatus> {
    for (;;) {
      const { status } = await this.ping();
      if (status.state === 'ready' || status.state === 'failed') return status;
      await pause(50);
    }
  }

  async draw(body: unknown): Promise<Response> {
    return fetch(`${await this.url()}/invocations`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  }

  /** Hands on a request to the same path here. */
  forward = async (request: Request): Promise<Response> => {
    const { pathname } = new URL(request.url);
    return fetch((await this.url()) + pathname, {
      method: request.method,
      headers: request.headers,
      body: await request.arrayBuffer(),
    });
  };

  /** Ids of the processes that it has started, while it runs. */
  children(): number[] {
    const { pid } = this.#child;
    const list = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return list.trim().split(/\s+/).filter(Boolean).map(Number);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** The exit code. */
  exited(): Promise<number | null> {
    return this.#exited;
  }
}
