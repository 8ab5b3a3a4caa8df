import { html } from 'hono/html';
import type { Html } from './rich-text.js';

/** A field, or a header, and what there is to know of it. */
export interface Field {
  readonly name: string;
  readonly required: boolean;
  readonly type: Html;
  readonly meaning: Html;
}

/** Three columns where there is room, else one below the other. */
export function fieldList(fields: readonly Field[]): Html {
  const rows = fields.map(
    ({ name, required, type, meaning }) => html`<div>
<dt><code>${name}</code>${required ? '' : html` <span class="note">optional</span>`}</dt>
<dd class="type">${type}</dd>
<dd>${meaning}</dd>
</div>`,
  );
  return html`<dl class="fields">${rows}</dl>`;
}
