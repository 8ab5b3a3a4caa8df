/** The durations of a `Server-Timing` header, milliseconds by name. */
export function parseTimings(header: string | null): Record<string, number> {
  const entries = (header ?? '').split(',').flatMap((part) => {
    const [, name, duration] = /^\s*([\w-]+);dur=(\d+(?:\.\d+)?)\s*$/.exec(part) ?? [];
    return name === undefined ? [] : [[name, Number(duration)] as const];
  });
  return Object.fromEntries(entries);
}
