import { AppError, type ErrorCode } from '../errors/app-error.js';
import type { GenerateAnswer } from '../schemas/answer.js';
import type { Health, HealthState } from '../schemas/health.js';
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

export interface EndpointState extends Readonly<Pick<Health, 'model' | 'draws'>> {
  readonly state: HealthState;
  /** For a person. @default none */
  readonly detail?: string;
}

/** All that the API and the worker know of the place where pictures are drawn. */
export interface Endpoint {
  /** @throws EndpointError */
  invoke(request: SeededRequest, context: InvokeContext): Promise<EndpointAnswer>;
  /** Asks for one copy. Returns before it is there; asking again does no harm. */
  wake(): Promise<void>;
  state(): Promise<EndpointState>;
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
