import type { HomeReport } from '../../lib/predictions/home-service.js';
import type { LogLevel } from '../shared/log.js';
import type { Fields, Telemetry } from '../shared/telemetry.js';

/** What a terminal is told besides. */
export interface TerminalTelemetry extends Telemetry {
  /** What a person wants to know although nothing is wrong. */
  notice(message: string): void;
  /** A request that has been answered, as `HomeServer` tells of it. */
  answered(line: string): void;
  /** A line that the endpoint has written. */
  relay(line: string): void;
}

/**
 * For a person at a terminal: what went wrong, and every request, a line each with its time and the request's id. Or
 * everything there is, for a program to read: then every line is a JSON object, and nothing is told twice. No metrics.
 */
export function terminalTelemetry({
  verbose,
  line,
}: Pick<HomeReport, 'verbose' | 'line'>): TerminalTelemetry {
  const say = (text: string) => line(`${new Date().toISOString().replace(/\.\d+/, '')} ${text}`);
  const log = (level: LogLevel, message: string, fields: Fields = {}) =>
    line(JSON.stringify({ time: new Date().toISOString(), level, message, ...fields }));
  const beside: Telemetry = {
    log: verbose ? log : (level, ...told) => (level === 'info' ? undefined : say(inWords(level, ...told))),
    count: () => undefined,
    measure: () => undefined,
  };
  if (!verbose) return { ...beside, notice: say, answered: say, relay: () => undefined };
  return {
    ...beside,
    notice: (message) => log('info', message),
    // The API has told the same.
    answered: () => undefined,
    relay: (text) => (isObject(text) ? line(text) : log('warn', 'the endpoint has written', { text })),
  };
}

function inWords(level: LogLevel, message: string, fields: Fields = {}): string {
  const reason = fields['error'] ?? fields['reason'];
  const request = fields['request_id'];
  return `${level}: ${message}${reason === undefined ? '' : `: ${reason}`}${request === undefined ? '' : ` (request ${request})`}`;
}

function isObject(text: string): boolean {
  try {
    return text.startsWith('{') && typeof JSON.parse(text) === 'object';
  } catch {
    return false;
  }
}
