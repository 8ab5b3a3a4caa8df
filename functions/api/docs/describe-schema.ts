import { html } from 'hono/html';
import type { JsonSchema } from '../openapi/openapi-types.js';
import { type Field, fieldList } from './field-list.js';
import { type Html, richText } from './rich-text.js';

interface ObjectSchema extends JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
}

/** The fields of a schema that is an object, those of inner objects included. Others in one line. */
export function schemaFields(schema: JsonSchema): Html {
  return schema['properties'] ? fieldList(fieldsOf(schema, '')) : html`<p>${typeOf(schema)}</p>`;
}

function fieldsOf({ properties = {}, required = [] }: ObjectSchema, prefix: string): Field[] {
  return Object.entries(properties).flatMap(([name, schema]) => {
    const { items } = schema as { items?: JsonSchema };
    const field = {
      name: `${prefix}${name}`,
      required: required.includes(name),
      type: typeOf(schema),
      meaning: html`${richText(schema.description ?? '')}${defaultOf(schema)}`,
    };
    return [field, ...fieldsOf(items ?? schema, `${prefix}${name}${items ? '[]' : ''}.`)];
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

function limits(schema: JsonSchema): string | undefined {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, minLength, maxLength } = schema;
  if (minimum !== undefined && maximum !== undefined) return `${minimum} to ${maximum}`;
  if (minLength !== undefined && maxLength !== undefined) return `${minLength} to ${maxLength} characters`;
  const said = [
    ['above', exclusiveMinimum],
    ['at least', minimum],
    ['below', exclusiveMaximum],
    ['at most', maximum],
    ['at least', minLength, ' characters'],
    ['at most', maxLength, ' characters'],
  ].filter(([, bound]) => bound !== undefined);
  if (said.length === 0) return undefined;
  return said.map(([words, bound, unit = '']) => `${words} ${bound}${unit}`).join(', ');
}

function defaultOf(schema: JsonSchema): Html | string {
  return schema['default'] === undefined
    ? ''
    : html` Default: <code>${JSON.stringify(schema['default'])}</code>.`;
}
