import { setTimeout as wait } from 'node:timers/promises';
import type {
  CloudFormationCustomResourceEvent,
  CloudFormationCustomResourceResponse,
  Context,
} from 'aws-lambda';
import { AppError } from '../../lib/errors/app-error.js';
import { errorFields } from './error-fields.js';
import { log } from './log.js';

/** CloudFormation takes 4,096 bytes in all; what is longer than this helps nobody. Characters. */
const MAX_REASON = 1_000;
const ATTEMPTS = 5;
const FIRST_PAUSE_MS = 500;
/** What a handler must leave of its time, to clean up and to answer. Milliseconds. */
const RESERVE_MS = 30_000;

/** A custom resource of CloudFormation: what it does for each kind of event. Everything may be asked for twice. */
export interface CustomResource {
  /** What the properties describe; what an update describes in another way is another resource, and the old one is deleted. */
  readonly idOf: (properties: Readonly<Record<string, unknown>>) => string;
  /** Makes it, unless it is there. */
  readonly ensure: (properties: Readonly<Record<string, unknown>>, context: ResourceContext) => Promise<void>;
  /** Removes what `ensure` has made of it; `id` may be of a resource that was never made. */
  readonly remove: (
    id: string,
    properties: Readonly<Record<string, unknown>>,
    context: ResourceContext,
  ) => Promise<void>;
}

export interface ResourceContext {
  /** How long the work may take. Milliseconds. */
  readonly milliseconds: number;
}

type Event = Omit<CloudFormationCustomResourceEvent, 'ResourceProperties'> & {
  readonly ResourceProperties: Readonly<Record<string, unknown>>;
  readonly PhysicalResourceId?: string;
};

/** A Lambda handler that tells CloudFormation how it ended, and why. */
export function customResourceHandler(resource: CustomResource) {
  return async (event: CloudFormationCustomResourceEvent, context: Context): Promise<void> => {
    const { RequestType, LogicalResourceId } = event;
    const known = 'PhysicalResourceId' in event ? event.PhysicalResourceId : undefined;
    const fields = { request_type: RequestType, resource: LogicalResourceId };
    const milliseconds = Math.max(1, context.getRemainingTimeInMillis() - RESERVE_MS);
    try {
      log('info', 'custom resource', fields);
      const id = await act(resource, event as Event, { milliseconds });
      log('info', 'custom resource is done', { ...fields, id });
      await respond(event, { Status: 'SUCCESS', PhysicalResourceId: id });
    } catch (error) {
      log('error', 'custom resource failed', { ...fields, ...errorFields(error) });
      await respond(event, {
        Status: 'FAILED',
        Reason: reasonOf(error, context),
        PhysicalResourceId: known ?? idOrNone(resource, event as Event),
      });
    }
  };
}

async function act(resource: CustomResource, event: Event, context: ResourceContext): Promise<string> {
  const { RequestType, ResourceProperties, PhysicalResourceId = '' } = event;
  if (RequestType === 'Delete') {
    await resource.remove(PhysicalResourceId, ResourceProperties, context);
    return PhysicalResourceId;
  }
  const id = resource.idOf(ResourceProperties);
  await resource.ensure(ResourceProperties, context);
  return id;
}

/** CloudFormation wants an id of a resource that could not be made, too, and deletes it by that. */
function idOrNone(resource: CustomResource, { ResourceProperties, LogicalResourceId }: Event): string {
  try {
    return resource.idOf(ResourceProperties);
  } catch {
    return LogicalResourceId;
  }
}

function reasonOf(error: unknown, { logGroupName, awsRequestId }: Context): string {
  const what = error instanceof Error ? error.message : String(error);
  const where = `(log group ${logGroupName}, request ${awsRequestId})`;
  return `${error instanceof AppError ? '' : 'unexpected: '}${what.slice(0, MAX_REASON)} ${where}`;
}

type Outcome = Pick<CloudFormationCustomResourceResponse, 'Status' | 'PhysicalResourceId'> & {
  Reason?: string;
};

/** Without an answer CloudFormation waits until its own time is up, so this tries hard. */
async function respond(event: CloudFormationCustomResourceEvent, outcome: Outcome): Promise<void> {
  const { StackId, RequestId, LogicalResourceId, ResponseURL } = event;
  const body = JSON.stringify({ ...outcome, StackId, RequestId, LogicalResourceId });
  for (let attempt = 1; ; attempt++) {
    try {
      // The URL is signed for an empty content type.
      const response = await fetch(ResponseURL, {
        method: 'PUT',
        headers: { 'content-type': '' },
        body,
        signal: AbortSignal.timeout(5_000),
      });
      await response.body?.cancel();
      if (response.ok) return;
      throw new Error(`CloudFormation's answer address says ${response.status}`);
    } catch (error) {
      log('warn', 'CloudFormation could not be told', { attempt, ...errorFields(error) });
      if (attempt === ATTEMPTS) throw error;
      await wait(FIRST_PAUSE_MS * 2 ** (attempt - 1));
    }
  }
}
