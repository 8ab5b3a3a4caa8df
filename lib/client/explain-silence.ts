import { ClientError } from './client-error.js';

/** Names and addresses of this machine. Source: RFC 6761, RFC 1122, RFC 4291. */
const LOOPBACK = /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/;

/** Nobody listens at an address of this machine. */
export class RefusedHere extends ClientError {}

export interface SilenceProps {
  /** The service's address without a slash at its end. */
  readonly base: string;
  /** The headers that have the key. */
  readonly key: Readonly<Record<string, string>>;
  readonly fetch: typeof fetch;
  readonly signal: AbortSignal | null | undefined;
}

/** Why a request got no answer, as far as that can be found out: a browser tells a page nothing. */
export async function explainSilence(cause: unknown, props: SilenceProps): Promise<ClientError> {
  const { base } = props;
  const page = pageOrigin();
  if (page !== undefined && page !== new URL(base).origin && (await isKeptFromPage(props))) {
    return new ClientError(`${base} is there, but ${keptOut(page)}`, { cause });
  }
  const hostname = new URL(base).hostname;
  const code = (cause as { cause?: { code?: string } }).cause?.code;
  const message = `cannot reach ${base}${code === undefined ? '' : ` (${code})`}`;
  if (code !== 'ECONNREFUSED' || !LOOPBACK.test(hostname))
    return new ClientError(message, { retryable: true, cause });
  return new RefusedHere(`${message}: nobody listens there`, { retryable: true, cause });
}

/** @param page `null` for a file, or for a frame that is kept apart */
function keptOut(page: string): string {
  if (page === 'null') return 'this page has no origin that it could allow: open it from a server (CORS)';
  return `does not allow pages of ${page} (CORS): deploy it with -c corsOrigins=${page}, or start it with --cors-origin ${page}`;
}

/** Of a browser's page or worker; undefined elsewhere. */
function pageOrigin(): string | undefined {
  return (globalThis as { location?: { origin?: string } }).location?.origin;
}

/** Whether the service answers, but nothing that this page may read: neither a request like ours, nor one without a key. */
async function isKeptFromPage({ base, key, fetch, signal }: SilenceProps): Promise<boolean> {
  const asks = (init: RequestInit) =>
    fetch(`${base}/health`, { ...init, signal: signal ?? null }).then(
      () => true,
      () => false,
    );
  return !(await asks({ headers: key })) && (await asks({ mode: 'no-cors' }));
}
