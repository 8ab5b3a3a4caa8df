import type { APIGatewayProxyEvent } from 'aws-lambda';

interface GatewayEnv {
  readonly event?: Pick<APIGatewayProxyEvent, 'path' | 'resource' | 'requestContext'>;
}

/** The id of the API key that the gateway has checked: not the key. */
export function gatewayCaller(env: unknown): string {
  return (env as GatewayEnv).event?.requestContext.identity.apiKeyId ?? 'no key';
}

/** The service's URL with the stage, or the base path of a custom domain, that is not in the path of a route. */
export function gatewayBaseUrl(env: unknown): string {
  const { event } = env as GatewayEnv;
  const { domainName = '', path = '' } = event?.requestContext ?? {};
  const own = event ? ownPath(event) : '';
  // The page may be asked for without a slash behind the base path.
  const asked = own === '/' && !path.endsWith('/') ? `${path}/` : path;
  const base = asked.endsWith(own) ? asked.slice(0, asked.length - own.length) : '';
  return `https://${domainName}${base}`;
}

/**
 * The path of a route. Through a custom domain the event's own path begins with the base path: which part of it is the
 * route's, the gateway's name of the resource says.
 */
export function ownPath({ path, resource }: Pick<APIGatewayProxyEvent, 'path' | 'resource'>): string {
  // This one takes the rest of any path.
  if (resource.includes('+}')) return path;
  const [all, own] = [segments(path), segments(resource)];
  const base = all
    .slice(0, Math.max(0, all.length - own.length))
    .map((segment) => `/${segment}`)
    .join('');
  return path.slice(base.length) || '/';
}

function segments(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '');
}
