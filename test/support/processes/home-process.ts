import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from '../reference.js';
import { until } from '../until.js';
import { childrenOf, isRunning } from './process-table.js';

/** `sd-turbo serve` as a process of its own, on a port that is free. */
export class HomeProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<number | NodeJS.Signals | null>;
  stdout = '';
  stderr = '';

  /**
   * @param root of the repository, where this is part of a bundle that lies elsewhere, or of an installed package
   * @param options the command's script there, and all that the process is to know. @default this process's
   */
  constructor(
    args: readonly string[],
    cwd: string,
    root = ROOT,
    { script = 'lib/cli/sd-turbo.mjs', env = process.env }: { script?: string; env?: NodeJS.ProcessEnv } = {},
  ) {
    const command = [join(root, script), 'serve', '--port', '0', ...args];
    this.#child = spawn(process.execPath, command, { cwd, env });
    this.#child.stdout?.on('data', (text) => (this.stdout += text));
    this.#child.stderr?.on('data', (text) => (this.stderr += text));
    this.#exited = new Promise((resolve) =>
      this.#child.once('close', (code, signal) => resolve(code ?? signal)),
    );
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** Waits until it has said where it is. */
  async started(): Promise<this> {
    await until('serve starts', () => {
      if (this.#child.exitCode !== null) throw new Error(`it has ended: ${this.stderr}`);
      return this.stdout.includes('Ctrl-C ends it.');
    });
    return this;
  }

  get url(): string {
    return /^URL +(\S+)$/m.exec(this.stdout)?.[1] as string;
  }

  get key(): string {
    return /^API key +(\S+)$/m.exec(this.stdout)?.[1] as string;
  }

  /** The page, with the key after `#`. */
  get playground(): string {
    return /^Playground +(\S+)$/m.exec(this.stdout)?.[1] as string;
  }

  /** The line that a person is told to paste. */
  get curl(): string {
    return /^curl .*$/m.exec(this.stdout)?.[0] as string;
  }

  fetch(path: string, init: { method?: string; headers?: Record<string, string> } = {}): Promise<Response> {
    return fetch(new URL(path, this.url), { ...init, headers: { 'x-api-key': this.key, ...init.headers } });
  }

  predict(body: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(`${this.url}/predict`, {
      method: 'POST',
      headers: { 'x-api-key': this.key, 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  }

  /** The processes of the endpoint: one, or none. */
  endpoints(): number[] {
    return childrenOf(this.pid);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** The exit code, or the signal that has ended it. */
  exited(): Promise<number | NodeJS.Signals | null> {
    return this.#exited;
  }

  /** Ends it, and makes sure that it leaves nothing. */
  async kill(): Promise<void> {
    const endpoints = this.endpoints();
    this.signal('SIGKILL');
    await this.#exited;
    await until('no endpoint is left', () => !endpoints.some(isRunning));
  }
}
