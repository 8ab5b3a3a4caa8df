import type { HomeReport } from '../../lib/predictions/home-service.js';
import type { Telemetry } from '../shared/telemetry.js';

/** For a person at a terminal: what went wrong, a line each; everything as JSON where that is wanted. No metrics. */
export function terminalTelemetry({ verbose, line }: Pick<HomeReport, 'verbose' | 'line'>): Telemetry {
  return {
    log(level, message, fields = {}) {
      if (verbose) return line(JSON.stringify({ time: new Date().toISOString(), level, message, ...fields }));
      const reason = fields['error'] ?? fields['reason'];
      if (level !== 'info') line(`${level}: ${message}${reason === undefined ? '' : `: ${reason}`}`);
    },
    count: () => undefined,
    measure: () => undefined,
  };
}
