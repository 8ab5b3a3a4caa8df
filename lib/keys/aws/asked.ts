import { AppError } from '../../errors/app-error.js';

const DENIED = /AccessDenied|NotAuthorized|UnauthorizedOperation/i;
const NO_CREDENTIALS =
  /CredentialsProviderError|TokenProviderError|ExpiredToken|InvalidClientTokenId|UnrecognizedClient/;

/** @throws AppError that names `action`, as policies do */
export async function asked<T>(action: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    const { name = '', message = '' } = cause instanceof Error ? cause : {};
    throw new AppError('UNAVAILABLE', `${why(name, message, action)}: ${message.split('\n')[0]}`, { cause });
  }
}

function why(name: string, message: string, action: string): string {
  if (/region is missing/i.test(message)) return 'no region is set: name one with --region';
  if (NO_CREDENTIALS.test(name)) return 'AWS does not know who asks: see `aws sts get-caller-identity`';
  return DENIED.test(name) ? `these credentials may not ${action}` : `${action} failed`;
}
