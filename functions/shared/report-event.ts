import type { PredictionEvent } from '../../lib/predictions/services.js';
import { errorFields } from './error-fields.js';
import { recordTimings } from './record-timings.js';
import type { Telemetry } from './telemetry.js';

/** Tells the log and the metrics what happened beside the work. */
export function reportEvent(telemetry: Telemetry, event: PredictionEvent): void {
  switch (event.kind) {
    case 'trouble':
      telemetry.log('warn', event.what, errorFields(event.error));
      break;
    case 'woken':
      telemetry.count('Wakes');
      telemetry.log('info', 'the endpoint was woken');
      break;
    case 'cold-start':
      telemetry.count('ColdStarts');
      telemetry.measure('ColdStartSeconds', 'Seconds', event.seconds);
      break;
    case 'bad-numbers':
      telemetry.count('BadNumbers');
      telemetry.log('error', 'the model gave what are no numbers');
      break;
    case 'drawn':
      recordTimings(telemetry, event.timings);
      break;
    case 'ended':
      telemetry.count('Predictions', event.status);
      break;
    case 'webhook-failed':
      telemetry.count('WebhookFailures');
      telemetry.log('warn', 'a webhook could not be delivered', { id: event.id, reason: event.error });
      break;
  }
}
