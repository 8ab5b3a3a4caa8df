import { AppError, type ErrorCode } from '../errors/app-error.js';
import type { GenerateAnswer } from '../schemas/answer.js';
import type { HealthState } from '../schemas/health.js';
import type { ModelAbout } from '../schemas/model-about.js';
import type { SeededRequest } from '../schemas/prediction.js';
import type { Problem } from '../schemas/problem.js';

export interface InvokeContext {
  /** Goes with the request into the endpoint's own log. */
  readonly requestId: string;
  /** Aborted when the caller's time is up. */
  readonly signal: AbortSignal;
}

export interface EndpointAnswer {
  readonly answer: GenerateAnswer;
  /** Phases of the endpoint by name, milliseconds; empty where the backend does not pass them on. */
  readonly timings: Readonly<Record<string, number>>;
}

export interface EndpointState extends Readonly<ModelAbout> {
  readonly state: HealthState;
  /** For a person. @default none */
  readonly detail?: string;
}

/** The place where pictures are drawn, whichever way the work gets there. */
export interface Endpoint {
  /**
   * Asks for one copy. Returns before it is there; asking again does no harm.
   *
   * @throws EndpointError where asking later may help; WakeRefused where a person has to do something first
   */
  wake(): Promise<void>;
  state(): Promise<EndpointState>;
}

/** One that is sent requests: SageMaker, a child process, or the pipeline of this very process. */
export interface PushedEndpoint extends Endpoint {
  /** @throws EndpointError */
  invoke(request: SeededRequest, context: InvokeContext): Promise<EndpointAnswer>;
}

/** Workers that fetch their messages from a queue, and leave results in the store: nothing reaches them. */
export interface PulledEndpoint extends Endpoint {
  /**
   * Whether one of them takes the next message. Whoever asks after sending one may rely on it: a worker that goes to
   * sleep says so first, and looks into the queue once more after that.
   */
  listens(): Promise<boolean>;
}

/**
 * Why there is no picture:
 *
 * - `cold`: no copy is up; wake it
 * - `busy`: it is there, and has too much to do, or cannot be reached
 * - `lost`: the connection ended before the answer; the picture may have been made, or have been its end
 * - `throttled`: the service before it is asked too often
 * - `timeout`: no answer in time; the picture may have been made
 * - `refused`: the endpoint says that the request is wrong
 * - `model`: the endpoint has failed on this request
 * - `numbers`: as `model`, because what it computed are no numbers
 * - `unknown`: nothing that this project knows of
 */
export type EndpointFault =
  | 'cold'
  | 'busy'
  | 'lost'
  | 'throttled'
  | 'timeout'
  | 'refused'
  | 'model'
  | 'numbers'
  | 'unknown';

/** These pass by themselves: who waits may ask again at once. */
export const PASSING_FAULTS: ReadonlySet<EndpointFault> = new Set(['busy', 'lost', 'throttled']);

const CODES: Readonly<Record<EndpointFault, ErrorCode>> = {
  cold: 'UNAVAILABLE',
  busy: 'UNAVAILABLE',
  lost: 'UNAVAILABLE',
  throttled: 'UNAVAILABLE',
  timeout: 'UNAVAILABLE',
  refused: 'INVALID_INPUT',
  model: 'INTERNAL',
  numbers: 'BAD_NUMBERS',
  unknown: 'INTERNAL',
};

export interface EndpointErrorOptions {
  /** @default undefined */
  readonly cause?: unknown;
  /** What the endpoint itself answered. @default none */
  readonly problem?: Problem;
}

export class EndpointError extends AppError {
  readonly fault: EndpointFault;
  readonly problem: Problem | undefined;

  constructor(fault: EndpointFault, message: string, { cause, problem }: EndpointErrorOptions = {}) {
    super(CODES[fault], message, { cause });
    this.fault = fault;
    this.problem = problem;
  }
}
