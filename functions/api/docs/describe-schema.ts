import { html } from 'hono/html';
import type { JsonSchema } from '../openapi/openapi-types.js';
import { type Html, richText } from './rich-text.js';

interface ObjectSchema extends JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
}

/** A schema that is an object: a row for each field, those of inner objects included. Others in one line. */
export function schemaTable(schema: JsonSchema): Html {
  if (!schema['properties']) return html`<p>${typeOf(schema)}</p>`;
  return html`<div class="scroll" tabindex="0" role="group" aria-label="Fields"><table>
<thead><tr><th scope="col">Field</th><th scope="col">Type</th><th scope="col">Meaning</th></tr></thead>
<tbody>${rowsOf(schema, '')}</tbody>
</table></div>`;
}

function rowsOf({ properties = {}, required = [] }: ObjectSchema, prefix: string): Html[] {
  return Object.entries(properties).flatMap(([name, field]) => {
    const { items } = field as { items?: JsonSchema };
    const row = html`<tr>
<td><code>${prefix}${name}</code>${required.includes(name) ? '' : html` <span class="quiet">optional</span>`}</td>
<td>${typeOf(field)}</td>
<td>${richText(field.description ?? '')}${defaultOf(field)}</td>
</tr>`;
    return [row, ...rowsOf(items ?? field, `${prefix}${name}${items ? '[]' : ''}.`)];
  });
}

/** What a value may be, in as few words as that takes. */
export function typeOf(schema: JsonSchema): Html {
  const { $ref, type, format, items, oneOf, anyOf = oneOf } = schema;
  if ($ref) return schemaLink($ref);
  if (anyOf) return joined(anyOf as JsonSchema[], ' or ');
  if (schema['const'] !== undefined) return html`<code>${JSON.stringify(schema['const'])}</code>`;
  if (schema['enum']) {
    const values = (schema['enum'] as unknown[]).map((value) => ({ const: value }));
    return joined(values, ', ');
  }
  if (items) return html`list of ${typeOf(items as JsonSchema)}`;
  const name = typeof format === 'string' ? format : [type].flat().join(' or ');
  const limit = limits(schema);
  const pattern = schema['pattern'] && !limit ? html` like <code>${schema['pattern']}</code>` : '';
  return html`${limit ? `${name}, ${limit}` : name}${pattern}`;
}

export function schemaLink($ref: string): Html {
  const name = $ref.split('/').at(-1);
  return html`<a href="#schema-${name}">${name}</a>`;
}

function joined(schemas: readonly JsonSchema[], between: string): Html {
  return html`${schemas.map((schema, index) => html`${index === 0 ? '' : between}${typeOf(schema)}`)}`;
}

function limits({ minimum, maximum, minLength, maxLength }: JsonSchema): string | undefined {
  if (minimum !== undefined && maximum !== undefined) return `${minimum} to ${maximum}`;
  if (minimum !== undefined) return `at least ${minimum}`;
  if (minLength !== undefined) return `${minLength} to ${maxLength} characters`;
  return maxLength === undefined ? undefined : `at most ${maxLength} characters`;
}

function defaultOf(schema: JsonSchema): Html | string {
  return schema['default'] === undefined
    ? ''
    : html` Default: <code>${JSON.stringify(schema['default'])}</code>.`;
}
