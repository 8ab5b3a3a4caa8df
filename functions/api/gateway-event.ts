import type { APIGatewayProxyEvent } from 'aws-lambda';

interface GatewayEnv {
  readonly event?: Pick<APIGatewayProxyEvent, 'path' | 'requestContext'>;
}

/** The id of the API key that the gateway has checked: not the key. */
export function gatewayCaller(env: unknown): string {
  return (env as GatewayEnv).event?.requestContext.identity.apiKeyId ?? 'no key';
}

/** The service's URL with the stage, or the base path of a custom domain, that is not in the event's own path. */
export function gatewayBaseUrl(env: unknown): string {
  const { event } = env as GatewayEnv;
  const { domainName = '', path = '' } = event?.requestContext ?? {};
  const own = event?.path ?? '';
  const base = path.endsWith(own) ? path.slice(0, path.length - own.length) : '';
  return `https://${domainName}${base}`;
}
