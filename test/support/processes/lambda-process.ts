import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';

/** From the repository's root, where tests and benchmarks are started: these are bundled elsewhere. */
const RUNTIME = 'test/support/processes/lambda-runtime.mjs';

interface Reply {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** A bundled function in a process and an environment of its own. Events and results cross as JSON. */
export class LambdaProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  readonly #imported: Promise<void>;
  #next = 0;
  #output = '';

  /**
   * @param folder of `bundle-lambda.mjs`, with `index.mjs`
   * @param node which Node runs it. @default this one
   */
  constructor(
    folder: string,
    environment: Readonly<Record<string, string>>,
    node: string = process.execPath,
  ) {
    this.#child = fork(RUNTIME, [join(folder, 'index.mjs')], {
      execPath: node,
      // Nothing of this machine's own: what a function reads must be among its settings.
      env: { PATH: process.env['PATH'], ...environment },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (text) => (this.#output += text));
    this.#imported = new Promise((resolve) => {
      this.#child.on('message', (reply: Reply | 'imported') => {
        if (reply === 'imported') resolve();
        else this.#settle(reply);
      });
    });
    this.#exited = new Promise((resolve) => this.#child.once('close', () => resolve(this.#giveUp())));
  }

  /** Everything the process has written. */
  get output(): string {
    return this.#output;
  }

  /** Settles when its module has been evaluated; a function that has ended before never gets there. */
  imported(): Promise<void> {
    return this.#imported;
  }

  /** @throws Error with the message of what the handler has thrown */
  invoke<T>(event: unknown): Promise<T> {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      if (!this.#child.connected) return reject(new Error(`the function has ended: ${this.#output}`));
      this.#waiting.set(id, ({ error, result }) => {
        if (error === undefined) resolve(result as T);
        else reject(new Error(error));
      });
      this.#child.send({ id, event });
    });
  }

  /** Settles when the process has ended by itself. */
  exited(): Promise<void> {
    return this.#exited;
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  #settle(reply: Reply): void {
    this.#waiting.get(reply.id)?.(reply);
    this.#waiting.delete(reply.id);
  }

  #giveUp(): void {
    for (const id of [...this.#waiting.keys()]) this.#settle({ id, error: `it has ended: ${this.#output}` });
  }
}
