import { AppError } from '../../../lib/errors/app-error.js';
import {
  type EndpointAnswer,
  EndpointError,
  type EndpointState,
  type InvokeContext,
  type PushedEndpoint,
} from '../../../lib/predictions/endpoint.js';
import type { EndpointStatus } from '../../../lib/schemas/endpoint-status.js';
import { aboutModel, type ModelAbout } from '../../../lib/schemas/model-about.js';
import type { SeededRequest } from '../../../lib/schemas/prediction.js';
import { invokeEndpoint } from '../../shared/invoke-endpoint.js';
import { EndpointProcess, type EndpointProcessProps } from './endpoint-process.js';

/** As SageMaker: from SIGTERM to SIGKILL. Milliseconds. */
const STOP_GRACE_MS = 30_000;

export interface ChildEndpointProps extends EndpointProcessProps {
  /** So long without a request, and the child is stopped. Seconds. @default never */
  readonly idleSeconds?: number;
  /** Told each time that a child has become ready. */
  readonly onReady: () => void;
  /** Told each time that one is stopped for want of work. */
  readonly onSleep: () => void;
  /** Told of a child that cannot load its model, or ends unasked. */
  readonly onTrouble: (what: string, error: unknown) => void;
}

/** The container's server as a child of this process: none, or one. */
export class ChildEndpoint implements PushedEndpoint {
  readonly #props: ChildEndpointProps;
  #process: EndpointProcess | undefined;
  #phase: 'asleep' | 'waking' | 'ready' | 'stopping' = 'asleep';
  /** Why the last child could not be used. */
  #failure: AppError | undefined;
  /** Somebody wants one while the last one is still on its way out: two would need the memory twice. */
  #wanted = false;
  #closed = false;
  #running = 0;
  /** What the last child that was ready has said of its model: it stays true while none runs. */
  #about: ModelAbout = {};
  #idle: NodeJS.Timeout | undefined;

  constructor(props: ChildEndpointProps) {
    this.#props = props;
  }

  async invoke(request: SeededRequest, context: InvokeContext): Promise<EndpointAnswer> {
    const url = this.#phase === 'ready' ? this.#process?.url : undefined;
    if (url === undefined) throw new EndpointError('cold', 'no endpoint is running');
    this.#running++;
    clearTimeout(this.#idle);
    try {
      return await invokeEndpoint(url, request, context);
    } finally {
      this.#running--;
      this.#watchIdleness();
    }
  }

  async wake(): Promise<void> {
    if (this.#closed) throw new AppError('UNAVAILABLE', 'the service is stopping');
    if (this.#phase === 'stopping') this.#wanted = true;
    if (this.#phase === 'asleep') this.#start();
  }

  async state(): Promise<EndpointState> {
    return { ...this.#condition(), ...this.#about };
  }

  /**
   * Waits for the child that has been started last.
   *
   * @throws AppError why it cannot be used
   */
  async ready(): Promise<void> {
    await this.#process?.ready;
    if (this.#failure) throw this.#failure;
  }

  /** Ends the child, for good. */
  async close(graceMs = STOP_GRACE_MS): Promise<void> {
    this.#closed = true;
    this.#wanted = false;
    await this.#stop(graceMs);
  }

  #condition(): EndpointState {
    if (this.#phase === 'ready') return { state: 'ready' };
    if (this.#phase === 'waking') return { state: 'waking', ...describe(this.#process?.status) };
    if (this.#wanted) return { state: 'waking', detail: 'the last one is stopping' };
    if (this.#failure) return { state: 'failed', detail: this.#failure.message };
    return { state: 'asleep' };
  }

  #start(): void {
    const child = new EndpointProcess(this.#props);
    this.#process = child;
    this.#phase = 'waking';
    this.#failure = undefined;
    void this.#attend(child);
  }

  /** Follows a child through its life. Never rejects. */
  async #attend(child: EndpointProcess): Promise<void> {
    await child.ready.then(
      () => this.#becomeReady(),
      (error) => this.#fail(error),
    );
    await child.gone;
    clearTimeout(this.#idle);
    if (this.#phase === 'ready')
      this.#props.onTrouble('the endpoint has ended; the next request starts it again', child.lastError());
    this.#process = undefined;
    this.#phase = 'asleep';
    if (!this.#wanted) return;
    this.#wanted = false;
    this.#start();
  }

  #becomeReady(): void {
    if (this.#phase !== 'waking') return;
    this.#phase = 'ready';
    this.#about = aboutModel(this.#process?.status ?? {});
    this.#watchIdleness();
    this.#props.onReady();
  }

  #fail(error: AppError): void {
    if (this.#phase !== 'waking') return;
    this.#failure = error;
    this.#props.onTrouble('the endpoint could not be started', error);
    void this.#stop(STOP_GRACE_MS);
  }

  #watchIdleness(): void {
    const { idleSeconds } = this.#props;
    clearTimeout(this.#idle);
    if (idleSeconds === undefined || this.#running > 0 || this.#phase !== 'ready') return;
    this.#idle = setTimeout(() => {
      this.#props.onSleep();
      void this.#stop(STOP_GRACE_MS);
    }, idleSeconds * 1000);
  }

  async #stop(graceMs: number): Promise<void> {
    clearTimeout(this.#idle);
    const child = this.#process;
    if (!child) return;
    this.#phase = 'stopping';
    await child.stop(graceMs);
  }
}

/** For a person: what a child that wakes is at. */
function describe(status: EndpointStatus | undefined): { detail?: string } {
  if (!status) return {};
  const { state, bytes_done, bytes_total } = status;
  if (state !== 'downloading' || bytes_total === 0) return { detail: state };
  return { detail: `downloading: ${Math.floor((bytes_done / bytes_total) * 100)} %` };
}
