import type { Telemetry } from '../../../functions/shared/telemetry.js';

/** Keeps what it is told, one JSON line each. */
export class RecordingTelemetry implements Telemetry {
  readonly lines: string[] = [];

  log: Telemetry['log'] = (level, message, fields) => this.#keep({ level, message, ...fields });
  count: Telemetry['count'] = (name, outcome) => this.#keep({ count: name, outcome });
  measure: Telemetry['measure'] = (name, unit, value) => this.#keep({ measure: name, unit, value });

  #keep(entry: Readonly<Record<string, unknown>>): void {
    this.lines.push(JSON.stringify(entry));
  }
}
