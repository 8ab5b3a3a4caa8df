import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { freePort } from '../support/free-port.js';
import { findPython } from '../support/processes/python.js';
import { ROOT } from '../support/reference.js';

/** Of the name that webhooks of the tour go to. */
export const WEBHOOK_HOST = 'webhook.test';
const NETWORK = join(ROOT, 'test/deploy/network.mjs');
const START_MS = 120_000;

export interface EmulatorProps {
  /** A folder for everything that is written. */
  readonly work: string;
  /** Command line of the container's server. */
  readonly container: readonly string[];
  /** Where the weights come from. */
  readonly hub: string;
}

/** What a component is like, as the emulator sees it. */
export interface ComponentState {
  readonly status: string;
  readonly desired: number;
  readonly copies: number;
  /** Requests that its copies have answered. */
  readonly drawn: number;
  readonly failure: string | null;
}

/** An EC2 instance, as the emulator sees it. */
export interface InstanceView {
  readonly id: string;
  readonly stack: string;
  readonly state: string;
  /** How often it was started; the first time it was made ready, and drew its own picture. */
  readonly starts: number;
  readonly type: string;
  readonly image: string;
}

export interface Refusal {
  readonly principal: string;
  readonly action: string;
  readonly resource: string;
  readonly why: string;
}

/** An AWS account on this machine: ministack, with what it lacks (`emulator/pieces.py`). */
export class Emulator {
  /** For every process that is to talk to it. */
  readonly environment: Readonly<Record<string, string>>;
  readonly #child: ChildProcess;
  readonly #props: EmulatorProps;
  readonly #control: string;

  private constructor(child: ChildProcess, props: EmulatorProps, gateway: number, control: number) {
    this.#child = child;
    this.#props = props;
    this.#control = `http://127.0.0.1:${control}`;
    this.environment = {
      ...ports(gateway, control),
      AWS_ENDPOINT_URL: `http://127.0.0.1:${gateway}`,
      AWS_ENDPOINT_URL_SAGEMAKER: this.#control,
      AWS_ENDPOINT_URL_SERVICE_QUOTAS: this.#control,
      HF_ENDPOINT: props.hub,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    };
  }

  static async start(props: EmulatorProps): Promise<Emulator> {
    const python = findPython('ministack');
    if (!python) throw new Error('no Python has ministack: pip install -r test/deploy/requirements.txt');
    const [gateway, control] = [await freePort(), await freePort()];
    const log = openSync(join(props.work, 'ministack.log'), 'a');
    const child = spawn(python, [join(ROOT, 'test/deploy/emulator')], {
      env: {
        ...process.env,
        ...ports(gateway, control),
        PYTHONDONTWRITEBYTECODE: '1',
        WORK: props.work,
        CONTAINER: props.container.map((word) => `'${word}'`).join(' '),
        HF_ENDPOINT: props.hub,
        FUNCTION_PRELOAD: NETWORK,
        WEBHOOK_HOST,
        NODE_EXTRA_CA_CERTS: join(ROOT, 'test/fixtures/tls/test-only-certificate.pem'),
        AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      },
      // It ends when the other end of its stdin is gone, however this process ends.
      stdio: ['pipe', log, log],
    });
    closeSync(log);
    const emulator = new Emulator(child, props, gateway, control);
    await emulator.#untilReady();
    return emulator;
  }

  /** For Node processes that are to find deployed APIs by their own URLs. */
  get callerEnvironment(): Record<string, string> {
    return { ...this.environment, NODE_OPTIONS: `--import=${NETWORK}`, WEBHOOK_HOST };
  }

  async component(name: string): Promise<ComponentState> {
    const all = await this.#ask<Record<string, ComponentState>>('/_components');
    const found = all[name];
    if (!found) throw new Error(`the account has no component ${name}: ${Object.keys(all)}`);
    return found;
  }

  /** The instances of a stack. */
  async instances(stack: string): Promise<InstanceView[]> {
    const all = await this.#ask<Record<string, Omit<InstanceView, 'id'>>>('/_instances');
    return Object.entries(all)
      .map(([id, instance]) => ({ id, ...instance }))
      .filter((instance) => instance.stack === stack);
  }

  /** What the workers of all instances have said, those that are gone included. */
  workerLogs(): string {
    const folders = readdirSync(this.#props.work).filter((name) => name.startsWith('i-'));
    const files = folders.map((name) => join(this.#props.work, name, 'worker.log'));
    return files
      .filter(existsSync)
      .map((file) => readFileSync(file, 'utf8'))
      .join('');
  }

  /** AWS recommends another machine image from now on. */
  async recommendImage(id: string): Promise<void> {
    await this.#ask('/_image', { id });
  }

  /** AWS lets so many vCPUs of GPU instances be up at once from now on; a g4dn.xlarge has 4. */
  async grantQuota(vcpus: number): Promise<void> {
    await this.#ask('/_quota', { vcpus });
  }

  /** Lets an alarm go off whose name has this part: it does what its actions say. */
  async raiseAlarm(part: string): Promise<void> {
    await this.#ask('/_alarm', { name: part });
  }

  /** What roles asked for and were not allowed. */
  refusals(): Promise<Refusal[]> {
    return this.#ask('/_refused');
  }

  /** Names of everything that is there, by service and kind. */
  inventory(): Promise<Record<string, string[]>> {
    return this.#ask('/_inventory');
  }

  /** One of its logs: `emulator`, `functions`, `ministack`, ... */
  log(name: string): string {
    const file = join(this.#props.work, `${name}.log`);
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }

  /** How functions have failed, each once. An authorizer's refusal is none. */
  functionFailures(): string[] {
    const lines = this.log('functions').split('\n');
    return [...new Set(lines.filter((line) => /^-- \S+: error (?!Unauthorized)/.test(line)))];
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const exited = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGTERM');
    const late = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
    await exited;
    clearTimeout(late);
  }

  async #ask<T>(path: string, body?: unknown): Promise<T> {
    const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
    const response = await fetch(this.#control + path, init);
    const text = await response.text();
    if (!response.ok) throw new Error(`the emulator: ${text}`);
    return JSON.parse(text) as T;
  }

  async #untilReady(): Promise<void> {
    const ends = Date.now() + START_MS;
    const url = `${this.environment['AWS_ENDPOINT_URL']}/_ministack/health`;
    while (Date.now() < ends) {
      if (this.#child.exitCode !== null) break;
      const answer = await fetch(url).catch(() => undefined);
      await answer?.body?.cancel();
      if (answer?.ok) return;
      await wait(100);
    }
    this.#child.kill('SIGKILL');
    throw new Error(`the emulator did not start: ${this.log('ministack').slice(-2000)}`);
  }
}

function ports(gateway: number, control: number) {
  return { GATEWAY_PORT: String(gateway), CONTROL_PORT: String(control) };
}
