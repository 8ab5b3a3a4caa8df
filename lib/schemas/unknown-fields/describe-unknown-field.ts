import { nearestName } from './nearest-name.js';
import { namesOf, plain, reasonAgainst } from './other-names.js';

/**
 * What is said of a field that there is not: what it is called here, why there is nothing like it, or which one looks most
 * like it.
 *
 * @param known the fields that there are
 */
export function describeUnknownField(name: string, known: readonly string[]): string {
  const elsewhere = knownElsewhere(name, known);
  if (elsewhere !== undefined) return elsewhere;
  // What somebody else means by it is known, and there is none here: what looks like it is something else.
  const nearest = namesOf(name).length > 0 ? undefined : nearestName(name, known);
  return nearest === undefined ? 'is not a field here' : `is not a field here: did you mean ${nearest}?`;
}

/** ... with all there are: for the first of a request, and not for each. */
export function describeWithAll(name: string, known: readonly string[]): string {
  const said = describeUnknownField(name, known);
  return `${said}${said.endsWith('?') ? ' The' : '; the'} fields are ${known.join(', ')}`;
}

/** What a name is called here that is known from elsewhere, or why there is nothing like it; undefined for any other. */
export function knownElsewhere(name: string, known: readonly string[]): string | undefined {
  const names = new Set([name, ...namesOf(name)].map(plain));
  const named = known.find((each) => names.has(plain(each)));
  return named === undefined ? reasonAgainst(name) : `is called ${named} here`;
}
