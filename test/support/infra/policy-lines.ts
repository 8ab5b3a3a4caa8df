import { at, type Properties, type Service } from './synth-service.js';

/** What a role may do, as sorted lines `action on resource`; resources go by their paths in the stack. */
export function policyLines(service: Service, role: string): string[] {
  const ref = service.id('AWS::IAM::Role', role);
  const policies = service
    .all('AWS::IAM::Policy')
    .filter(([, { Properties }]) => JSON.stringify(Properties['Roles']).includes(`"${ref}"`));
  const statements = policies.flatMap(([, { Properties }]) =>
    at<Properties[]>(Properties, 'PolicyDocument', 'Statement'),
  );
  const lines = statements.flatMap(({ Effect, Action, Resource }) =>
    list(Action).flatMap((action) =>
      list(Resource).map(
        (resource) => `${Effect === 'Allow' ? '' : `${Effect} `}${action} on ${name(service, resource)}`,
      ),
    ),
  );
  return [...new Set(lines)].sort();
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [value];
}

function name(service: Service, value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const {
    Ref,
    'Fn::GetAtt': attribute,
    'Fn::Join': join,
    'Fn::Sub': text,
  } = value as Record<string, unknown>;
  if (typeof Ref === 'string') return pathOf(service, Ref);
  if (Array.isArray(attribute)) return pathOf(service, String(attribute[0]));
  if (Array.isArray(join)) return (join[1] as unknown[]).map((part) => name(service, part)).join('');
  return String(text).replaceAll(/\$\{AWS::(\w+)\}/g, '{$1}');
}

function pathOf(service: Service, id: string): string {
  const path = service.path(id);
  if (path === undefined) return `{${id.replace('AWS::', '')}}`;
  return `<${path.replace(/\/Resource$/, '')}>`;
}
