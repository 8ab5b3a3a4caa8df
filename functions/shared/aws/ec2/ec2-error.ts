import { EndpointError } from '../../../../lib/predictions/endpoint.js';

/**
 * Why EC2 does not start an instance:
 *
 * - `capacity`: AWS has no such machine free in this zone now
 * - `type`: it has none of this type at all there
 * - `quota`: the account may not have that many
 * - `state`: the instance is on its way from one state to another
 * - `gone`: there is no such instance (any more)
 */
export type StartFault = 'capacity' | 'type' | 'quota' | 'state' | 'gone';

/** The codes of AWS's list "Error codes for the Amazon EC2 API". */
const START_FAULTS: ReadonlyMap<string, StartFault> = new Map([
  ['InsufficientInstanceCapacity', 'capacity'],
  ['InsufficientHostCapacity', 'capacity'],
  ['InsufficientCapacity', 'capacity'],
  ['InsufficientCapacityOnHost', 'capacity'],
  ['InsufficientReservedInstanceCapacity', 'capacity'],
  ['Unsupported', 'type'],
  ['UnsupportedOperation', 'type'],
  ['UnsupportedInstanceAttribute', 'type'],
  ['InstanceTypeNotSupported', 'type'],
  ['InvalidInstanceType', 'type'],
  ['InvalidInstanceAttributeValue', 'type'],
  ['InvalidParameterCombination', 'type'],
  ['InvalidParameterValue', 'type'],
  ['VcpuLimitExceeded', 'quota'],
  ['InstanceLimitExceeded', 'quota'],
  ['IncorrectInstanceState', 'state'],
  ['IncorrectState', 'state'],
  ['InvalidInstanceID.NotFound', 'gone'],
  ['InvalidInstanceID.Malformed', 'gone'],
]);

const THROTTLED: ReadonlySet<string> = new Set([
  'RequestLimitExceeded',
  'RequestThrottled',
  'Throttling',
  'ThrottlingException',
  'ThrottledException',
  'TooManyRequestsException',
  'EC2ThrottledException',
  'SlowDown',
]);

/** Of the operating system, and the SDK's own words for no answer. */
const NO_ANSWER = /^E[A-Z_]+$|^(Timeout|Abort)Error$/;

/** What the SDK's errors have that matters here. */
interface SdkError {
  readonly name?: string;
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** @returns undefined for what has nothing to do with this instance */
export function startFault(error: unknown): StartFault | undefined {
  return START_FAULTS.get(codeOf(error));
}

/** Any other error of EC2 in this project's terms. */
export function ec2Error(error: unknown): EndpointError {
  if (error instanceof EndpointError) return error;
  const { code = '', $metadata } = error as SdkError;
  const name = codeOf(error);
  const status = $metadata?.httpStatusCode;
  const options = { cause: error };
  if (THROTTLED.has(name) || status === 429) {
    return new EndpointError('throttled', `EC2 is asked too often (${name})`, options);
  }
  if (NO_ANSWER.test(code) || NO_ANSWER.test(name)) {
    return new EndpointError('busy', 'EC2 cannot be reached', options);
  }
  // InternalError, InternalFailure, Unavailable, ServiceUnavailable, a load balancer's page: these pass.
  if (status !== undefined && status >= 500) {
    return new EndpointError('busy', `EC2 cannot answer now (${name})`, options);
  }
  return new EndpointError('unknown', `EC2 refused: ${name}`, options);
}

/** Some errors are reported with the side that is to blame before the code. */
function codeOf(error: unknown): string {
  return ((error as SdkError).name ?? '').replace(/^(Server|Client)\./, '');
}
