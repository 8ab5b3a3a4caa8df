import { AccountError, type AccountFault } from '../account.js';

/** @throws AccountError with `action`, the API's own name of what was asked */
export async function asked<T>(action: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    const { name = '', message = '' } = error instanceof Error ? error : {};
    throw new AccountError(faultOf(name, message), action, message.split('\n')[0] ?? '', error);
  }
}

function faultOf(name: string, message: string): AccountFault {
  if (/region is missing/i.test(message)) return 'no-region';
  if (/CredentialsProviderError|TokenProviderError/.test(name)) return 'no-credentials';
  if (
    /InvalidClientTokenId|UnrecognizedClient|ExpiredToken|InvalidSignature|SignatureDoesNotMatch/.test(name)
  )
    return 'bad-credentials';
  if (/AccessDenied|NotAuthorized|UnauthorizedOperation/i.test(name)) return 'denied';
  return 'unreachable';
}
