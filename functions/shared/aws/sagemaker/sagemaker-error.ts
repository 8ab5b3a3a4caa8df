import { EndpointError } from '../../../../lib/predictions/endpoint.js';
import { type Problem, problemSchema } from '../../../../lib/schemas/problem.js';

/** What the SDK's errors have that matters here. */
interface SdkError {
  readonly name?: string;
  readonly message?: string | null;
  /** Of the operating system: ECONNRESET and the like. */
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
  /** Of `ModelError`: what the container answered. */
  readonly OriginalStatusCode?: number;
  readonly OriginalMessage?: string;
}

const THROTTLED: ReadonlySet<string> = new Set([
  'Throttling',
  'ThrottlingException',
  'ThrottledException',
  'TooManyRequestsException',
  'RequestLimitExceeded',
]);

/** The request never went out. */
const UNREACHED: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'EAI_AGAIN',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);
const SYSTEM_ERROR = /^E[A-Z_]+$/;

/** An error of SageMaker in this project's terms. Which is which: AWS's API reference, InvokeEndpoint. */
export function sagemakerError(error: unknown, signal?: AbortSignal): EndpointError {
  if (error instanceof EndpointError) return error;
  const sdk = error as SdkError;
  const { name = '', code, $metadata } = sdk;
  const status = $metadata?.httpStatusCode;
  const message = sdk.message ?? '';
  const options = { cause: error };
  if (signal?.aborted) return new EndpointError('timeout', 'the endpoint did not answer in time', options);
  // The SDK names a reset connection TimeoutError, too; and one that ends within the answer has a status.
  if (code !== undefined && SYSTEM_ERROR.test(code)) {
    if (UNREACHED.has(code)) return new EndpointError('busy', 'the endpoint cannot be reached', options);
    return new EndpointError('lost', 'the connection to the endpoint was lost', options);
  }
  if (name === 'TimeoutError' || name === 'AbortError') {
    return new EndpointError('timeout', 'the endpoint did not answer in time', options);
  }
  // The name differs between the documentation and what is reported; the words have stayed the same.
  if (/^Validation(Error|Exception)$/.test(name) && /no capacity/i.test(message)) {
    return new EndpointError('cold', 'the endpoint has no capacity yet', options);
  }
  if (name === 'ModelError') return modelError(sdk);
  // InternalFailure, ServiceUnavailable, InternalDependencyException (530), a load balancer's page: these pass.
  if (name === 'ModelNotReadyException' || (status !== undefined && status >= 500)) {
    return new EndpointError('busy', 'the endpoint cannot answer now', options);
  }
  if (THROTTLED.has(name) || status === 429) {
    return new EndpointError('throttled', 'the endpoint is throttled', options);
  }
  return new EndpointError('unknown', 'the endpoint failed in a way that is not known', options);
}

function modelError({ OriginalStatusCode: status = 500, OriginalMessage = '', message }: SdkError) {
  const problem = readProblem(OriginalMessage);
  // Not the error itself: its message has all that the container said, which may have a prompt.
  const cause = new Error(`ModelError, the container answered ${status}`);
  const options = problem ? { cause, problem } : { cause };
  const said = (words: string) => problem?.detail ?? words;
  if (status === 503 || status === 429)
    return new EndpointError('busy', said('the endpoint is busy'), options);
  if (status >= 400 && status < 500) {
    return new EndpointError('refused', said('the endpoint refused the request'), options);
  }
  // SageMaker's own words where the container took more than 60 s.
  if (/timed? ?out|timeout/i.test(`${message} ${OriginalMessage}`)) {
    return new EndpointError('timeout', 'the endpoint did not answer in time', options);
  }
  // The container's own word for it: nothing else in it answers 502.
  const fault = status === 502 && problem ? 'numbers' : 'model';
  return new EndpointError(fault, said('the model failed'), options);
}

/** The container's own problem+json, where it is whole: SageMaker may cut the message. */
function readProblem(text: string): Problem | undefined {
  try {
    return problemSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
