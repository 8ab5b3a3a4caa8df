import type * as z from 'zod';
import { RequestRefused } from '../../shared/problem-response.js';

/** A request that its schema refuses, with OpenAI's own word for how. */
export class ParameterRefused extends RequestRefused {
  readonly parameterCode: string;

  constructor(
    issues: readonly z.core.$ZodIssue[],
    parameterCode = 'invalid_value',
    known: readonly string[] = [],
  ) {
    super(issues, known);
    this.parameterCode = parameterCode;
  }
}

/** ... because of one value. */
export function parameterRefused(field: string, message: string): ParameterRefused {
  return new ParameterRefused([{ code: 'custom', path: [field], message, input: undefined }]);
}

/**
 * What a request asks for.
 *
 * @param elsewhere names that the body may have and the schema has not
 * @throws ParameterRefused that names every wrong field
 */
export function parseParameters<S extends z.ZodObject>(
  schema: S,
  body: unknown,
  elsewhere: readonly string[] = [],
): z.infer<S> {
  const { data, error } = schema.safeParse(without(body, elsewhere));
  if (!error) return data;
  const known = [...Object.keys(schema.shape), ...elsewhere];
  throw new ParameterRefused(error.issues, codeOf(error.issues[0], Object(body)), known);
}

function without(body: unknown, names: readonly string[]): unknown {
  if (names.length === 0 || typeof body !== 'object' || body === null) return body;
  return Object.fromEntries(Object.entries(body).filter(([name]) => !names.includes(name)));
}

function codeOf(issue: z.core.$ZodIssue | undefined, body: object): string {
  if (issue?.code === 'unrecognized_keys') return 'unknown_parameter';
  if (issue?.code !== 'invalid_type') return 'invalid_value';
  return Object.hasOwn(body, issue.path[0] ?? '') ? 'invalid_type' : 'missing_required_parameter';
}
