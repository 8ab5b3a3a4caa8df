import type { ClientProps } from './client.js';
import { ClientError } from './client-error.js';

/** The address that paths are put behind. @throws ClientError for one that no request can have; it is not repeated where it may hold a secret */
export function checkUrl(url: ClientProps['url']): string {
  if (typeof url !== 'string') throw new ClientError(`url: must be a string, not ${typeOf(url)}`);
  const parsed = parseUrl(url.trim());
  if (!parsed) {
    throw new ClientError(`url: ${url} is none that can be asked: it must begin with http:// or https://`);
  }
  if (parsed.username || parsed.password)
    throw new ClientError('url: must not have a user or a password in it: the key goes into apiKey');
  if (parsed.search || parsed.hash)
    throw new ClientError('url: must end before its ? or #: it is the address of the service alone');
  return parsed.href.replace(/\/+$/, '');
}

/** Relative to a page where there is one; elsewhere such an address means nothing. */
function parseUrl(url: string): URL | undefined {
  const page = (globalThis as { location?: { href: string } }).location?.href;
  if (!/^https?:\/\//i.test(url) && !(page && url.startsWith('/'))) return undefined;
  try {
    return new URL(url, page);
  } catch {
    return undefined;
  }
}

/** The headers that have the key. @throws ClientError for one that no header can have; it is never repeated */
export function keyHeaders(apiKey: ClientProps['apiKey']): Record<string, string> {
  if (apiKey === null) return {};
  if (typeof apiKey !== 'string')
    throw new ClientError(`apiKey: must be a string, not ${typeOf(apiKey)}: null where a proxy has it`);
  if (apiKey === '') throw new ClientError('apiKey: must not be empty');
  if (!/^[\x21-\x7e]+$/.test(apiKey)) {
    throw new ClientError('apiKey: it has characters that no key has: a space or the end of a line?');
  }
  return { 'x-api-key': apiKey };
}

function typeOf(value: unknown): string {
  return value === null ? 'null' : typeof value;
}
