import { html, raw } from 'hono/html';
import { favicon, type Page, reference } from '#playground';
import type { Method, OpenapiDocument } from '../openapi/openapi-types.js';
import { describeOperation } from './describe-operation.js';
import { schemaFields } from './describe-schema.js';
import type { DescribedOperation } from './described-operation.js';
import { type Html, richText } from './rich-text.js';

/** The OpenAPI document for people. It is read without its script, which copies, and sends requests. */
export async function docsPage(document: OpenapiDocument): Promise<Page> {
  const { info, tags, components } = document;
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method as Method, operation })),
  );
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${info.title} API reference</title>
<link rel="icon" href="${favicon.url}">
<style>${raw(reference.style)}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the reference</a>
<header class="top">
<h1>${info.title} <span>API reference</span></h1>
<nav aria-label="Service"><a href="./">Playground</a><a href="openapi.json">openapi.json</a></nav>
</header>
<div class="page">
<nav class="contents" aria-label="Contents"><details id="contents"><summary>Contents</summary>${contents(operations, document)}</details></nav>
<main id="main">
<section aria-labelledby="about"><h2 id="about">About</h2><p>${richText(info.description)}</p>
<p>Version ${info.version} at <code>${document.servers[0]?.url}</code>.</p></section>
${keySection(document)}
${tags.flatMap(({ name }) => operations.filter(({ operation }) => operation.tags.includes(name))).map((operation) => describeOperation(operation, document))}
${Object.entries(components.schemas).map(
  ([name, schema]) =>
    html`<section id="schema-${name}" aria-labelledby="schema-${name}-title"><h2 id="schema-${name}-title">${name}</h2>${schemaFields(schema)}</section>`,
)}
</main>
</div>
<script>${raw(reference.script)}</script>
</body>
</html>`;
  return { html: String(await page), policy: reference.policy };
}

function contents(operations: readonly DescribedOperation[], { tags, components }: OpenapiDocument): Html {
  const groups = tags.map(
    ({ name }) =>
      html`<h2>${name}</h2><ul>${operations
        .filter(({ operation }) => operation.tags.includes(name))
        .map(
          ({ operation }) => html`<li><a href="#${operation.operationId}">${operation.summary}</a></li>`,
        )}</ul>`,
  );
  const schemas = Object.keys(components.schemas).map(
    (name) => html`<li><a href="#schema-${name}">${name}</a></li>`,
  );
  return html`<h2>First</h2><ul><li><a href="#about">About</a></li><li><a href="#keys">Keys</a></li></ul>${groups}<h2>Schemas</h2><ul>${schemas}</ul>`;
}

function keySection({ components }: OpenapiDocument): Html {
  const rows = Object.values(components.securitySchemes).map(
    ({ name = 'Authorization', description }) => html`<li><code>${name}</code> ${richText(description)}</li>`,
  );
  return html`<section aria-labelledby="keys"><h2 id="keys">Keys</h2><p>The key is in one of these headers:</p><ul>${rows}</ul></section>`;
}
