import { AppError } from '../../../errors/app-error.js';

/** A repository on the Hugging Face hub, and what is wanted of it. */
export interface HubLocation {
  /** `owner/name`. The hub's oldest have a name alone: none of them is a picture model. */
  readonly repo: string;
  /** Branch, tag or commit; undefined for the repository's main branch. */
  readonly revision: string | undefined;
}

/** The hub's own limits: 96 characters, neither `--` nor `..`, and no dot or dash at an end. */
const REPO = /^(?!.*(?:--|\.\.))[A-Za-z0-9][\w.-]{0,95}\/[A-Za-z0-9_][\w.-]{0,95}$/;

/** What git allows in a name, less the rest; `refs/pr/1` is one. */
const REVISION = /^(?!.*(?:\.\.|\/\/))[A-Za-z0-9][\w./+-]{0,199}$/;

/**
 * Reads `hf:owner/name` or `hf:owner/name@revision`.
 *
 * @throws AppError INVALID_INPUT
 */
export function parseHubUrl(url: string): HubLocation {
  const [, repo = '', revision] = /^hf:([^@]*)(?:@(.*))?$/s.exec(url) ?? [];
  if (!REPO.test(repo) || (revision !== undefined && !REVISION.test(revision))) {
    throw new AppError(
      'INVALID_INPUT',
      `${JSON.stringify(url)} is not of the form hf:OWNER/NAME or hf:OWNER/NAME@REVISION`,
    );
  }
  return { repo, revision };
}

/** As `parseHubUrl` reads it. */
export function hubUrl({ repo, revision }: HubLocation): string {
  return `hf:${repo}${revision === undefined ? '' : `@${revision}`}`;
}

/** @throws AppError INVALID_INPUT */
export function assertRevision(revision: string): void {
  if (!REVISION.test(revision))
    throw new AppError('INVALID_INPUT', `${JSON.stringify(revision)} is not a branch, tag or commit`);
}
