import { html } from 'hono/html';
import type { AnyResponse, Content, Header, OpenapiDocument, Operation } from '../openapi/openapi-types.js';
import { schemaFields, typeOf } from './describe-schema.js';
import type { DescribedOperation } from './described-operation.js';
import { fieldList } from './field-list.js';
import { type Html, richText } from './rich-text.js';
import { tryIt } from './try-it.js';

/** One route: what it takes, what it answers, and a line that tries it. */
export function describeOperation(
  { path, method, operation }: DescribedOperation,
  document: OpenapiDocument,
): Html {
  const { operationId, summary, description, security, callbacks = {} } = operation;
  const webhooks = Object.values(callbacks).flatMap((places) => Object.entries(places));
  return html`<article id="${operationId}" aria-labelledby="${operationId}-title">
<h2 id="${operationId}-title">${summary}</h2>
<p class="route"><span class="method ${method}">${method.toUpperCase()}</span> ${path}</p>
<p>${richText(description)}</p>
<p class="note">${security ? 'Needs no key.' : 'Needs a key.'}</p>
${codeBlock(curl({ path, method, operation }, document))}
${tryIt({ path, method, operation })}
${takenAndAnswered(operation, document)}
${webhooks.map(([place, { post }]) => describeWebhook(place, post, document))}
</article>`;
}

/** A request that the service makes itself. */
function describeWebhook(place: string, operation: Operation, document: OpenapiDocument): Html {
  const { operationId, summary, description } = operation;
  return html`<section id="${operationId}" aria-labelledby="${operationId}-title">
<h2 id="${operationId}-title">${summary}</h2>
<p class="route"><span class="method post">POST</span> ${place}</p>
<p>${richText(description)}</p>
${takenAndAnswered(operation, document)}
</section>`;
}

function takenAndAnswered(operation: Operation, document: OpenapiDocument): Html {
  const { requestBody, responses } = operation;
  return html`${operation.parameters?.length ? html`<h3>Path, query and headers</h3>${parameters(operation)}` : ''}
${requestBody ? html`<h3>Body</h3>${bodyOf(requestBody.content, document)}` : ''}
<h3>Answers</h3>
<div class="answers">${Object.entries(responses).map(([status, response]) => answer(status, response, document))}</div>`;
}

/** A line for a shell that sends the first example. */
function curl(
  { path, method, operation }: DescribedOperation,
  { servers: [server] }: OpenapiDocument,
): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name) =>
    String(operation.parameters?.find((parameter) => parameter.name === name)?.example ?? name),
  );
  const [[type, media] = []] = Object.entries(operation.requestBody?.content ?? {});
  const [example] = Object.values(media?.examples ?? {});
  const body = type === 'application/json' ? jsonBody : formBody;
  return [
    `curl ${method === 'get' ? '' : `-X ${method.toUpperCase()} `}'${server?.url}${filled}'`,
    ...(operation.security ? [] : [`-H "x-api-key: $SD_TURBO_API_KEY"`]),
    ...(example ? body(example.value) : []),
  ].join(' \\\n  ');
}

function jsonBody(value: unknown): string[] {
  return ["-H 'content-type: application/json'", `-d '${JSON.stringify(value)}'`];
}

function formBody(value: unknown): string[] {
  return Object.entries(Object(value)).map(([name, text]) => `-F '${name}=${text}'`);
}

function parameters({ parameters: all = [] }: Operation): Html {
  return fieldList(
    all.map(({ name, required, description, schema, example }) => ({
      name,
      required,
      type: typeOf(schema),
      meaning: html`${richText(description)}${example ? html` For example <code>${example}</code>.` : ''}`,
    })),
  );
}

function bodyOf(content: Content, { components }: OpenapiDocument): Html {
  return html`${Object.entries(content).map(([type, { schema, examples = {} }]) => {
    const named = components.schemas[schema.$ref?.split('/').at(-1) ?? ''] ?? schema;
    return html`<p class="note">${type}</p>${schemaFields(named)}${examplesOf(examples)}`;
  })}`;
}

function answer(
  status: string,
  { description, headers, content }: AnyResponse,
  { components }: OpenapiDocument,
): Html {
  const names = Object.entries(headers).map(([name, { $ref }]) => {
    const header: Header | undefined = components.headers[$ref.split('/').at(-1) ?? ''];
    return html`<li><code>${name}</code> ${richText(header?.description ?? '')}</li>`;
  });
  const kinds = byMeaning(content).map(
    ([types, { schema, examples = {} }]) =>
      html`<h4>${types}</h4><p>${schema.description ? richText(schema.description) : typeOf(schema)}</p>${examplesOf(examples)}`,
  );
  return html`<details><summary><span class="status ${status < '4' ? 'ok' : 'bad'}">${status}</span> ${richText(description)}</summary>
<div class="inside">${kinds}${names.length > 0 ? html`<h4>Headers</h4><ul>${names}</ul>` : ''}</div>
</details>`;
}

/** Content types that mean the same are told once. */
function byMeaning(content: Content): [string, Content[string]][] {
  const groups = new Map<string, [string, Content[string]]>();
  for (const [type, media] of Object.entries(content)) {
    const key = JSON.stringify(media);
    const known = groups.get(key);
    groups.set(key, [known ? `${known[0]}, ${type}` : type, media]);
  }
  return [...groups.values()];
}

function examplesOf(examples: NonNullable<Content[string]['examples']>): Html {
  const blocks = Object.entries(examples).map(
    ([name, { summary, value }]) =>
      html`<h4>Example: ${richText(summary ?? name)}</h4>${codeBlock(JSON.stringify(value, undefined, 2))}`,
  );
  return html`${blocks}`;
}

/** Wraps, so that nothing has to be scrolled by keyboard. */
function codeBlock(text: string): Html {
  return html`<div class="code"><pre><code>${text}</code></pre></div>`;
}
