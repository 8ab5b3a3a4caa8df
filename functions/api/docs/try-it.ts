import { html } from 'hono/html';
import type { Operation, Parameter } from '../openapi/openapi-types.js';
import type { DescribedOperation } from './described-operation.js';
import { type Html, richText } from './rich-text.js';

/** A form that sends this request, for the script of the page to bring to life: without it nothing is seen. */
export function tryIt({ path, method, operation }: DescribedOperation): Html | string {
  const { operationId, parameters = [], requestBody, security } = operation;
  const body = requestBody?.content['application/json'];
  if (requestBody && !body) return '';
  return html`<details class="try" data-method="${method.toUpperCase()}" data-path="${path}" hidden>
<summary>Try it</summary>
<form>
${security ? '' : keyField(operation)}
${parameters.map((parameter) => parameterField(operationId, parameter))}
${
  body
    ? html`<div class="field"><label for="${operationId}-body">Body</label>
<textarea id="${operationId}-body" name="body" rows="4" spellcheck="false">${JSON.stringify(
        Object.values(body.examples ?? {})[0]?.value,
        undefined,
        2,
      )}</textarea></div>`
    : ''
}
<button type="submit" class="primary">Send</button>
</form>
<div class="answer" role="status"></div>
</details>`;
}

function keyField({ operationId }: Operation): Html {
  return html`<div class="field"><label for="${operationId}-key">API key</label>
<input id="${operationId}-key" name="key" type="password" required autocomplete="off" autocapitalize="off" spellcheck="false" data-1p-ignore data-lpignore="true" aria-describedby="${operationId}-key-hint">
<p class="hint" id="${operationId}-key-hint">The playground's, in this tab: kept until it is closed, and sent to this service only.</p></div>`;
}

function parameterField(operationId: string, { name, in: place, required, example }: Parameter): Html {
  const id = `${operationId}-${name}`;
  return html`<div class="field"><label for="${id}">${richText(name)}${required ? '' : html` <span class="note">optional</span>`}</label>
<input id="${id}" name="${name}" data-in="${place}" placeholder="${example ?? ''}" ${required ? 'required' : ''} autocomplete="off" autocapitalize="off" spellcheck="false"></div>`;
}
