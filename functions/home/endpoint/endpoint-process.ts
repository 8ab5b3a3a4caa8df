import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { AppError } from '../../../lib/errors/app-error.js';
import { type EndpointStatus, endpointStatusSchema } from '../../../lib/schemas/endpoint-status.js';

/** Between two looks at a server that is not ready yet. Milliseconds. */
const POLL_MS = 100;
/** Enough of what a process says before it dies for one line about it. Characters. */
const MAX_LAST_WORDS = 4_096;

export interface EndpointProcessProps {
  /** Program and arguments of the container's server. */
  readonly command: readonly [string, ...string[]];
  /** The server's settings: functions/endpoint/config.ts. This process's own environment is passed on, too. */
  readonly settings: Readonly<Record<string, string>>;
  /** Told of every line that the server writes. @default nobody */
  readonly onLine?: (line: string) => void;
  /** Told of what the server says of itself until it is ready. @default nobody */
  readonly onStatus?: (status: EndpointStatus) => void;
}

/** One run of the container's server, from its start to its end. */
export class EndpointProcess {
  readonly #child: ChildProcess;
  readonly #props: EndpointProcessProps;
  readonly #ended = new AbortController();
  #url: string | undefined;
  #status: EndpointStatus | undefined;
  #complaint: string | undefined;
  #lastWords = '';
  /** Settles when it takes work; rejects with an `AppError` that says why it never will. */
  readonly ready: Promise<void>;
  /** Settles when the process is gone. */
  readonly gone: Promise<void>;

  constructor(props: EndpointProcessProps) {
    this.#props = props;
    const [program, ...args] = props.command;
    this.#child = spawn(program, args, {
      env: { ...process.env, ...props.settings, PORT: '0', BIND_ADDRESS: '127.0.0.1' },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // A group of its own: Ctrl-C is for the service, which ends the server when the last picture is drawn.
      detached: process.platform !== 'win32',
      windowsHide: true,
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      if (stream) createInterface(stream).on('line', (line) => this.#hear(line));
    this.gone = new Promise((resolve) => {
      this.#child.once('close', () => resolve());
      this.#child.on('error', (error) => {
        this.#complaint = error.message;
        // It could not be started: there will be no other event.
        if (this.#child.pid === undefined) resolve();
      });
    });
    this.gone.then(() => this.#ended.abort());
    this.ready = this.#becomeReady();
    // Whoever waits for it is told; nobody needs to.
    this.ready.catch(() => undefined);
  }

  /** Undefined before it listens. */
  get url(): string | undefined {
    return this.#url;
  }

  /** What it last said of itself. */
  get status(): EndpointStatus | undefined {
    return this.#status;
  }

  /** Lets it finish its work, and kills it when that takes longer than `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), graceMs);
    await this.gone;
    clearTimeout(timer);
  }

  /** Why it has ended, as far as it has said so. */
  lastError(): AppError {
    const { exitCode, signalCode } = this.#child;
    const end = signalCode ? `it was ended by ${signalCode}` : `it has ended with exit code ${exitCode}`;
    const reason = this.#complaint ?? errorLine(this.#lastWords);
    return failure(reason === undefined ? end : `${end}: ${reason}`);
  }

  async #becomeReady(): Promise<void> {
    const { signal } = this.#ended;
    while (!signal.aborted) {
      const status = await this.#ping(signal);
      if (status) {
        this.#status = status;
        this.#props.onStatus?.(status);
        if (status.state === 'ready') return;
        if (status.state === 'failed') throw failure(status.error ?? 'it does not say why');
      }
      await pause(POLL_MS, undefined, { signal }).catch(() => undefined);
    }
    throw this.lastError();
  }

  async #ping(signal: AbortSignal): Promise<EndpointStatus | undefined> {
    if (this.#url === undefined) return undefined;
    try {
      const response = await fetch(`${this.#url}/ping`, { signal });
      return endpointStatusSchema.parse(await response.json());
    } catch {
      return undefined;
    }
  }

  #hear(line: string): void {
    this.#props.onLine?.(line);
    const entry = parseEntry(line);
    if (!entry) this.#say(line);
    else if (entry['message'] === 'listening') this.#url = `http://127.0.0.1:${entry['port']}`;
    else if (entry['level'] === 'error') this.#complaint = String(entry['error'] ?? entry['message']);
  }

  #say(words: string): void {
    this.#lastWords = `${this.#lastWords}${words}\n`.slice(-MAX_LAST_WORDS);
  }
}

function failure(reason: string): AppError {
  return new AppError('UNAVAILABLE', `the endpoint cannot work: ${reason}`, { retryable: false });
}

/** A line of functions/shared/log.ts; undefined for any other. */
function parseEntry(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** The line in which Node names what it died of, before the stack. */
function errorLine(words: string): string | undefined {
  const lines = words.split('\n').filter((line) => line.trim() !== '');
  return lines.find((line) => /^\w*Error\b/.test(line)) ?? lines.at(-1);
}
