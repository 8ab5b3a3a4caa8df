import { parseHubUrl } from './hub-location.js';

/** A page or a clone's address, `hf://` of other tools, `hf:` in another case. */
const BEGINNING =
  /^(?:(?:https?:\/+)?(?:www\.)?(?:huggingface\.co|hf\.co)\/+|git@hf\.co:|(?:hf|huggingface):\/*)(?:models\/(?=[^/]+\/))?/i;
/** With what may follow on the hub's pages: a revision, a file, a query. */
const REPO =
  /^([\w.-]+\/[\w.-]+?)(?:\.git)?(?:@([^/?#]+)|\/(?:tree|blob|resolve|raw|commit)\/([^/?#]+))?(?:[/?#].*)?$/;
/** First parts of pages that are no models. */
const OTHER_PAGES =
  /^(?:api|blog|collections|datasets|docs|learn|models|organizations|papers|settings|spaces)\//i;

/** `hf:OWNER/NAME[@REVISION]` where `text` may mean that: a URL of the hub, or a bare `OWNER/NAME[@REVISION]`. */
export function suggestHubUrl(text: string): string | undefined {
  const beginning = BEGINNING.exec(text)?.[0] ?? '';
  const rest = text.slice(beginning.length);
  const [, repo, at, tree] = REPO.exec(rest) ?? [];
  // A bare name is the whole of it: `a/b/c` is a path.
  if (repo === undefined || (beginning === '' && !/^[^/]+\/[^/?#]+\/?$/.test(rest))) return undefined;
  if (beginning !== '' && OTHER_PAGES.test(rest)) return undefined;
  try {
    const revision = at ?? tree;
    const url = `hf:${repo}${revision === undefined ? '' : `@${decodeURIComponent(revision)}`}`;
    parseHubUrl(url);
    return url;
  } catch {
    return undefined;
  }
}
