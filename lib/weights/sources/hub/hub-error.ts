import { AppError, type AppErrorOptions } from '../../../errors/app-error.js';
import { quoteName } from '../../bytes/quote-name.js';

/** What was asked for, for messages. */
export interface HubSubject {
  readonly repo: string;
  readonly revision?: string | undefined;
  readonly path?: string | undefined;
}

export function subjectName({ repo, revision, path }: HubSubject): string {
  return `hf:${repo}${revision === undefined ? '' : `@${revision}`}${path === undefined ? '' : `/${path}`}`;
}

/** How the one who asked stands with the server. */
export interface HubAsker {
  /** Where the hub's pages are: `https://huggingface.co`. */
  readonly endpoint: string;
  readonly hasToken: boolean;
  /** Whether the hub itself answered, as against the host that it had sent us to. */
  readonly byHub: boolean;
}

const TOKENS_PAGE = 'https://huggingface.co/settings/tokens';

/**
 * An answer of the hub that is not a success, in this project's terms. The hub says in two headers what it means;
 * see `hf_raise_for_status` of huggingface_hub.
 */
export function hubError(status: number, headers: Headers, subject: HubSubject, asker: HubAsker): AppError {
  const name = subjectName(subject);
  const code = headers.get('x-error-code') ?? '';
  const said = headers.get('x-error-message') ?? '';
  const answer = `HTTP ${status}${said && `: ${quoteName(said)}`}`;
  const unavailable = (why: string, options: AppErrorOptions = { retryable: false }) =>
    new AppError('UNAVAILABLE', `${name}: ${why} (${answer})`, options);

  // A signed address that has come of age: the next attempt asks the hub for a new one.
  if (!asker.byHub && status === 403)
    return unavailable('the download address was refused', { retryable: true });
  if (status === 404) return notFound(code, subject);
  if (status === 429) return unavailable('too many requests', { retryable: true });
  if (code === 'GatedRepo') return unavailable(gated(subject, asker));
  if (status === 401) return unavailable(unauthorised(asker));
  if (status === 403) return unavailable(forbidden(asker));
  if (status === 416)
    return new AppError('INVALID_FILE', `${name} is shorter than the hub's list says (${answer})`);
  return unavailable('the hub did not answer the request', { retryable: status >= 500 || status === 408 });
}

function notFound(code: string, { repo, revision, path }: HubSubject): AppError {
  const at = subjectName({ repo, revision });
  const missing = (what: string) => new AppError('NOT_FOUND', what);
  if (code === 'RepoNotFound') return missing(`hf:${repo} does not exist: check the name`);
  if (code === 'RevisionNotFound') return missing(`hf:${repo} has no revision ${revision}`);
  if (path !== undefined) return missing(`${at} has no file ${path}`);
  return missing(`${at} does not exist: check repository and revision`);
}

function gated({ repo }: HubSubject, { endpoint, hasToken }: HubAsker): string {
  const page = `${endpoint}/${repo}`;
  return hasToken
    ? `the repository is gated and the account of HF_TOKEN has no access: accept its licence on ${page} with that account`
    : `the repository is gated: accept its licence on ${page} and set HF_TOKEN to a token of that account (${TOKENS_PAGE})`;
}

function unauthorised({ hasToken }: HubAsker): string {
  return hasToken
    ? `HF_TOKEN was not accepted: make a new one (${TOKENS_PAGE}), and check the repository's name`
    : `the repository does not exist or is private: check the name, or set HF_TOKEN (${TOKENS_PAGE})`;
}

function forbidden({ hasToken }: HubAsker): string {
  return hasToken
    ? `HF_TOKEN may not read this repository: give it that permission (${TOKENS_PAGE})`
    : `access is refused: set HF_TOKEN to a token that may read it (${TOKENS_PAGE})`;
}
