import type { LogLevel } from './log.js';

export type Fields = Readonly<Record<string, unknown>>;

/** Where a function tells what it does. No caller hands it a prompt, a body, a key or a header. */
export interface Telemetry {
  log(level: LogLevel, message: string, fields?: Fields): void;
  /** Adds one to a count; `outcome` tells its kinds apart. */
  count(name: string, outcome?: string): void;
  measure(name: string, unit: 'Seconds' | 'Milliseconds', value: number): void;
}
