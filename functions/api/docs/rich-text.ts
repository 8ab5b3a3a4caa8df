import { html } from 'hono/html';

/** What `html` makes of a template. */
export type Html = ReturnType<typeof html>;

/** A text of the document: what stands between backticks is code. */
export function richText(text: string): Html {
  const parts = text.split('`').map((part, index) => (index % 2 === 0 ? part : html`<code>${part}</code>`));
  return html`${parts}`;
}
