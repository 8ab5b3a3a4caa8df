import type { AddedToken } from './added-token.js';

/** A token that was trained with several vectors (textual inversion), which have tokens of their own. */
export interface Concept {
  readonly content: string;
  /** `<cat> <cat>_1 <cat>_2` */
  readonly written: string;
}

/** By the id of the first token. */
export function findConcepts(added: readonly AddedToken[]): ReadonlyMap<number, Concept> {
  const contents = new Set(added.map(({ content }) => content));
  const concepts = new Map<number, Concept>();
  for (const { content, id } of added) {
    const parts = [content];
    while (contents.has(`${content}_${parts.length}`)) parts.push(`${content}_${parts.length}`);
    if (parts.length > 1) concepts.set(id, { content, written: parts.join(' ') });
  }
  return concepts;
}

/** How long `expandConcept` makes a prompt. UTF-16 units. */
export function expandedLength(prompt: string, { content, written }: Concept): number {
  const found = prompt.split(content).length - 1;
  return prompt.length + found * (written.length - content.length);
}

/** Writes every vector of a concept where the prompt has its name. */
export function expandConcept(prompt: string, { content, written }: Concept): string {
  return prompt.replaceAll(content, () => written);
}
