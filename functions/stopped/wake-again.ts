import type { EventBridgeEvent } from 'aws-lambda';
import type { PulledWork, Services } from '../../lib/predictions/services.js';
import { WakeRefused } from '../../lib/predictions/wake/wake-refused.js';
import { errorFields } from '../shared/error-fields.js';
import type { Telemetry } from '../shared/telemetry.js';

/** What EventBridge tells of an instance; the rule lets none but ours and none but `stopped` through. */
export type StateChange = EventBridgeEvent<
  'EC2 Instance State-change Notification',
  { readonly 'instance-id': string; readonly state: string }
>;

export interface WakeAgainProps {
  readonly services: Pick<Services, 'waker'> & { readonly pulled: Pick<PulledWork, 'backlog'> };
  readonly telemetry: Telemetry;
}

/**
 * Wakes an instance that has stopped with messages left: they came while it was on its way down, or it has crashed. What
 * watches over predictions would do so, too, and later.
 *
 * @throws AppError, EndpointError where it could not be done now: the event comes again
 */
export async function wakeAgain({ detail }: StateChange, props: WakeAgainProps): Promise<void> {
  const { services, telemetry } = props;
  const instance = detail['instance-id'];
  const messages = await services.pulled.backlog();
  telemetry.log('info', 'an instance has stopped', { instance, messages });
  if (messages === 0) return;
  try {
    if (await services.waker.wakeAgain()) return telemetry.count('Restarts');
    telemetry.log('error', 'an instance stops again and again, and draws nothing: it is left stopped', {
      instance,
    });
  } catch (error) {
    if (!(error instanceof WakeRefused)) throw error;
    telemetry.log('error', 'an instance cannot be started again', { instance, ...errorFields(error) });
  }
}
