import type { Health } from '../../../lib/client/prediction.js';
import { byId, make } from '../dom.js';

/** All that the model can draw, where that is little enough to be listed. A page sees one model: it is shown once. */
export function showVocabulary({ model, draws }: Health): void {
  const fold = byId('vocabulary', HTMLDetailsElement);
  if (!draws || !fold.hidden) return;
  byId('vocabulary-model', HTMLElement).textContent = model ?? 'this model';
  byId('vocabulary-words', HTMLElement).replaceChildren(
    ...Object.entries(draws).map(([group, words]) =>
      make('li', {}, make('b', {}, `${group}: `), words.join(', ')),
    ),
  );
  fold.hidden = false;
}
