/** What was not there before, by service and kind. */
export function leftovers(
  before: Readonly<Record<string, string[]>>,
  after: Readonly<Record<string, string[]>>,
): Record<string, string[]> {
  const added = Object.entries(after).map(([kind, names]) => {
    const known = new Set(before[kind]);
    return [kind, names.filter((name) => !known.has(name))] as const;
  });
  return Object.fromEntries(added.filter(([, names]) => names.length > 0));
}
