interface Node {
  /** By UTF-16 unit. */
  readonly next: Map<string, Node>;
  /** Of the token that ends here. */
  id?: number;
}

/**
 * Finds added tokens in text: the leftmost first, of several at one place the longest. A tree of characters, so that
 * a place takes no longer than the longest token, however many a file declares.
 */
export class TokenMatcher {
  readonly #root: Node = { next: new Map() };

  /** @param tokens of one content the first is found */
  constructor(tokens: Iterable<readonly [content: string, id: number]>) {
    for (const [content, id] of tokens) {
      let node = this.#root;
      for (const unit of content.split('')) {
        const next = node.next.get(unit) ?? { next: new Map() };
        node.next.set(unit, next);
        node = next;
      }
      node.id ??= id;
    }
  }

  /** The ids of the tokens in `text`, and the text between them, in order. Nothing is empty. */
  *split(text: string): Generator<string | number> {
    let end = 0;
    for (let at = 0; at < text.length; at++) {
      const found = this.#longestAt(text, at);
      if (found === undefined) continue;
      if (at > end) yield text.slice(end, at);
      yield found.id;
      end = found.end;
      at = end - 1;
    }
    if (end < text.length) yield text.slice(end);
  }

  #longestAt(text: string, start: number): { readonly id: number; readonly end: number } | undefined {
    let found: { readonly id: number; readonly end: number } | undefined;
    let node: Node | undefined = this.#root;
    for (let at = start; node; at++) {
      if (node.id !== undefined) found = { id: node.id, end: at };
      node = node.next.get(text.charAt(at));
    }
    return found;
  }
}
