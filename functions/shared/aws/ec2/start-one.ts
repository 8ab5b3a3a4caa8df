import { EndpointError } from '../../../../lib/predictions/endpoint.js';
import { WakeRefused } from '../../../../lib/predictions/wake/wake-refused.js';
import type { Ec2Control, InstanceState } from './ec2-control.js';
import { type StartFault, startFault } from './ec2-error.js';

/** No further type is tried after this: the function that asks has a limit of its own. Milliseconds. */
const PATIENCE_MS = 12_000;
/** What the smallest machine with a T4, an A10G or an L4 has. An account that may have fewer can start none of them. */
const LEAST_VCPUS = 4;
const QUOTA = 'the quota "Running On-Demand G and VT instances" (L-DB2E81BA)';
const RAISE =
  'Raise it in the console, Service Quotas, Amazon EC2, or by `aws service-quotas request-service-quota-increase ' +
  '--service-code ec2 --quota-code L-DB2E81BA --desired-value 4`; 4 are one g4dn.xlarge';

export interface StartOneProps {
  readonly control: Ec2Control;
  /** Stopped ones, in the order of their zones. */
  readonly stopped: readonly InstanceState[];
  /** What an instance may be, the best first. */
  readonly types: readonly string[];
  /** Whether another one still holds its part of the quota. */
  readonly othersLeave: boolean;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * Starts one of them: of the first type in any zone, else of the next type. What a former wake had changed is changed
 * back first.
 *
 * @returns false where an instance is no longer as it was described
 * @throws EndpointError where a later wake may do better; WakeRefused where none will
 */
export async function startOne(props: StartOneProps): Promise<boolean> {
  const { control, now } = props;
  const until = now() + PATIENCE_MS;
  const refusals: string[] = [];
  const current = new Map(props.stopped.map(({ id, type }) => [id, type]));
  for (const type of inOrder(props)) {
    for (const { id } of props.stopped) {
      const refusal = await tryType(control, id, type, current);
      if (refusal === undefined) return true;
      if (refusal.fault === 'state' || refusal.fault === 'gone') return false;
      // A larger type may need more than an account has for a smaller one.
      if (refusal.fault === 'quota' && type === props.types[0]) throw quotaError(refusal.error, props);
      refusals.push(`${type}: ${WORDS[refusal.fault]} (${id})`);
    }
    if (now() > until) break;
  }
  throw new EndpointError(
    'cold',
    `no instance can be started now: ${refusals.join(', ')}; it is tried again`,
  );
}

const WORDS: Readonly<Record<StartFault, string>> = {
  capacity: 'AWS has none free',
  type: 'not offered in this zone',
  quota: 'beyond the quota',
  state: 'changes its state',
  gone: 'is gone',
};

/** The first type, then the others from behind the one that was tried last: a wake that was cut off goes on. */
function inOrder({ types, stopped }: StartOneProps): string[] {
  const [first, ...others] = types;
  const last = others.indexOf(stopped[0]?.type ?? '');
  return [...(first === undefined ? [] : [first]), ...others.slice(last + 1), ...others.slice(0, last + 1)];
}

interface Refusal {
  readonly fault: StartFault;
  readonly error: unknown;
}

async function tryType(
  control: Ec2Control,
  id: string,
  type: string,
  current: Map<string, string>,
): Promise<Refusal | undefined> {
  try {
    if (current.get(id) !== type) {
      await control.setType(id, type);
      current.set(id, type);
    }
    await control.start(id);
    return undefined;
  } catch (error) {
    const fault = startFault(error);
    if (!fault) throw error;
    return { fault, error };
  }
}

function quotaError(error: unknown, { othersLeave }: StartOneProps): Error {
  const limit = Number(/limit of (\d+)/.exec(String((error as Error).message))?.[1] ?? 0);
  if (limit < LEAST_VCPUS) {
    const words = `this account may run ${limit} vCPUs of GPU instances, by ${QUOTA}. ${RAISE}`;
    return new WakeRefused(words, error);
  }
  const by = othersLeave ? 'an instance that is still stopping' : 'other instances of this account';
  const words = `all ${limit} vCPUs of ${QUOTA} are taken by ${by}. ${RAISE}`;
  return new EndpointError('cold', words, { cause: error });
}
