/** More wrong letters are another word; commander takes as many. */
const MAX_EDITS = 3;
/** Part of the letters that must be right. */
const LEAST_ALIKE = 0.4;
/** What is longer is misspelt nowhere, and is not worth the time. Characters. */
const MAX_LENGTH = 40;

/** The name that looks most like a misspelt one; undefined where none does. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  if (name.length > MAX_LENGTH) return undefined;
  const [best] = known
    .map((each) => ({ each, edits: editDistance(name, each), length: Math.max(name.length, each.length) }))
    .filter(({ edits, length }) => edits <= MAX_EDITS && 1 - edits / length > LEAST_ALIKE)
    .sort((a, b) => a.edits - b.edits);
  return best?.each;
}

/** How many letters were left out, put in, changed, or swapped with their neighbour: optimal string alignment. */
function editDistance(from: string, to: string): number {
  let before: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const changed = from[row - 1] === to[column - 1] ? 0 : 1;
      const isSwapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      current[column] = Math.min(
        (last[column] as number) + 1,
        (current[column - 1] as number) + 1,
        (last[column - 1] as number) + changed,
        isSwapped ? (before[column - 2] as number) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    [before, last] = [last, current];
  }
  return last[to.length] as number;
}
