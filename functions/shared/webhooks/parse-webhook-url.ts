import { isIP } from 'node:net';
import { AppError } from '../../../lib/errors/app-error.js';
import { hostForbidden } from './no-public-address.js';

/**
 * A URL that a webhook may be sent to, as far as that can be told without DNS. A host that is an address is checked
 * here, in the one form that `URL` gives all its spellings (`0x7f.1`, `2130706433`, `[::ffff:7f00:1]`).
 *
 * @param base of a relative one. @default none
 * @throws AppError INVALID_INPUT; the message does not repeat the URL, which may hold a secret
 */
export function parseWebhookUrl(text: string, isAllowed: (address: string) => boolean, base?: URL): URL {
  if (!URL.canParse(text, base?.href)) throw new AppError('INVALID_INPUT', 'the webhook has no valid URL');
  const url = new URL(text, base);
  if (url.protocol !== 'https:') throw new AppError('INVALID_INPUT', 'the webhook URL must be https');
  if (url.username !== '' || url.password !== '') {
    throw new AppError('INVALID_INPUT', 'the webhook URL must not hold a user name or a password');
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (isIP(host) !== 0 && !isAllowed(host)) throw hostForbidden();
  return url;
}
