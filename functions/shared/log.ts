export type LogLevel = 'info' | 'warn' | 'error';

/** Writes one JSON line. No caller hands it a prompt, a body, a key or a header. */
export function log(level: LogLevel, message: string, fields: Readonly<Record<string, unknown>> = {}): void {
  process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), level, message, ...fields })}\n`);
}
