/** The value of a `Server-Timing` header, durations in milliseconds. Source: W3C Server Timing. */
export function serverTiming(milliseconds: Readonly<Record<string, number>>): string {
  return Object.entries(milliseconds)
    .map(([name, duration]) => `${name};dur=${duration.toFixed(1)}`)
    .join(', ');
}

/** The durations in such a value, milliseconds by name; what is not understood is left out. */
export function parseServerTiming(header: string | null | undefined): Record<string, number> {
  const entries = (header ?? '').split(',').flatMap((part) => {
    const [, name, duration] = /^\s*([\w-]+);dur=(\d+(?:\.\d+)?)\s*$/.exec(part) ?? [];
    return name === undefined ? [] : [[name, Number(duration)] as const];
  });
  return Object.fromEntries(entries);
}
