/** The value of a `Server-Timing` header, durations in milliseconds. Source: W3C Server Timing. */
export function serverTiming(milliseconds: Readonly<Record<string, number>>): string {
  return Object.entries(milliseconds)
    .map(([name, duration]) => `${name};dur=${duration.toFixed(1)}`)
    .join(', ');
}
