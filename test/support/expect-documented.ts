import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { expect } from 'vitest';
import { openapiDocument } from '../../functions/api/openapi/openapi-document.js';
import type { AnyResponse, JsonSchema, Method } from '../../functions/api/openapi/openapi-types.js';

/** Of HTTP itself, and what no document lists. */
const COMMON_HEADERS = new Set([
  'allow',
  'cache-control',
  'connection',
  'content-length',
  'content-type',
  'date',
  'keep-alive',
  'transfer-encoding',
  'vary',
  'x-accel-buffering',
]);

const document = openapiDocument('https://service.test');
const ajv = new Ajv2020({ strict: false, validateFormats: true });
addFormats.default(ajv);
ajv.addFormat('base64', /^[A-Za-z0-9+/]*={0,2}$/).addFormat('binary', true);
ajv.addSchema({ $id: 'document', components: document.components });
const validators = new Map<string, ValidateFunction>();

/** The problems that a value has by a schema of the document; empty when it has none. */
export function schemaErrors(schema: JsonSchema, value: unknown): string[] {
  const key = JSON.stringify(schema);
  const own =
    validators.get(key) ?? ajv.compile(JSON.parse(key.replaceAll('"#/components', '"document#/components')));
  validators.set(key, own);
  return own(value) ? [] : (own.errors ?? []).map((error) => `${error.instancePath || '/'} ${error.message}`);
}

/** Holds an answer against what the document says of its route: status, content type, headers, body. */
export async function expectDocumented(method: string, path: string, answer: Response): Promise<void> {
  const responses = documentedResponses(method, path.replace(/\?.*/, ''));
  if (!responses) return;
  const documented = responses[answer.status];
  const what = `${method} ${path}: ${answer.status}`;
  if (!documented) throw new Error(`${what} is not in the document`);
  const type = answer.headers.get('content-type')?.split(';')[0] ?? 'none';
  if (answer.status === 204) {
    expect(documented.content, what).toEqual({});
    // API Gateway gives a type to what has none.
    expect(['none', 'application/json'], what).toContain(type);
  } else expect(Object.keys(documented.content), what).toContain(type);
  expectHeaders(documented, answer, what);
  const { schema } = documented.content[type] ?? {};
  if (schema && type.endsWith('json'))
    expect(schemaErrors(schema, await answer.clone().json()), what).toEqual([]);
}

function documentedResponses(
  method: string,
  path: string,
): Readonly<Record<string, AnyResponse>> | undefined {
  const route = Object.keys(document.paths).find((name) =>
    new RegExp(`^${name.replace(/\{\w+\}/g, '[^/]+')}$`).test(path),
  );
  const operation = route === undefined ? undefined : document.paths[route]?.[method.toLowerCase() as Method];
  return operation?.responses;
}

function expectHeaders({ headers }: AnyResponse, answer: Response, what: string): void {
  const names = Object.keys(headers).map((name) => name.toLowerCase());
  for (const name of answer.headers.keys()) {
    if (!COMMON_HEADERS.has(name)) expect(names, `${what} has the header ${name}`).toContain(name);
  }
  for (const [name, { $ref }] of Object.entries(headers)) {
    const header = document.components.headers[$ref.split('/').at(-1) as string];
    if (header?.required) expect(answer.headers.has(name), `${what} needs the header ${name}`).toBe(true);
  }
}
