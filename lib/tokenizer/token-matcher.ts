/** Finds added tokens in text: the leftmost first, of several at one place the longest. */
export class TokenMatcher {
  readonly #ids: ReadonlyMap<string, number>;
  readonly #pattern: RegExp;

  constructor(ids: ReadonlyMap<string, number>) {
    this.#ids = ids;
    const contents = [...ids.keys()].sort((a, b) => b.length - a.length);
    this.#pattern = new RegExp(contents.map(escapePattern).join('|'), 'gu');
  }

  /** The ids of the tokens in `text`, and the text between them, in order. Nothing is empty. */
  *split(text: string): Generator<string | number> {
    let end = 0;
    for (const match of this.#ids.size > 0 ? text.matchAll(this.#pattern) : []) {
      if (match.index > end) yield text.slice(end, match.index);
      yield this.#ids.get(match[0]) as number;
      end = match.index + match[0].length;
    }
    if (end < text.length) yield text.slice(end);
  }
}

function escapePattern(literal: string): string {
  return literal.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
