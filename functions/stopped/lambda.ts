import { AppError } from '../../lib/errors/app-error.js';
import { awsServices } from '../shared/aws/aws-services.js';
import { readFunctionConfig } from '../shared/aws/config.js';
import { powertoolsTelemetry } from '../shared/aws/powertools-telemetry.js';
import { type StateChange, wakeAgain } from './wake-again.js';

const telemetry = powertoolsTelemetry();
const { pulled, waker } = await awsServices(readFunctionConfig(), telemetry);

/** EventBridge: an instance has stopped. What fails is tried again by Lambda, twice, in one minute and in two. */
export async function handler(event: StateChange): Promise<void> {
  if (!pulled) throw new AppError('UNSUPPORTED', 'no backend here has instances: BACKEND is not ec2');
  try {
    await wakeAgain(event, { services: { waker, pulled }, telemetry });
  } finally {
    telemetry.flush();
  }
}
