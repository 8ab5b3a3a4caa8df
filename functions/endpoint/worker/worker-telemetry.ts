import { type FlushedTelemetry, powertoolsTelemetry } from '../../shared/aws/powertools-telemetry.js';
import { log } from '../../shared/log.js';

/**
 * The container's log, and the functions' metrics.
 *
 * @param isMeasured whether there is a namespace for metrics; else there are none
 */
export function workerTelemetry(isMeasured: boolean): FlushedTelemetry {
  if (isMeasured) return { ...powertoolsTelemetry(), log };
  return { log, count: () => undefined, measure: () => undefined, flush: () => undefined };
}
