import { type ListFileEntry, listFiles, modelInfo } from '@huggingface/hub';
import { AppError } from '../../errors/app-error.js';
import { politeTransfer } from '../bytes/polite-transfer.js';
import { DEFAULT_TRANSFER_POLICY, type TransferPolicy } from '../bytes/transfer.js';
import type { HubClient } from '../sources/hub/hub-client.js';
import { type HubSubject, subjectName } from '../sources/hub/hub-error.js';
import type { HubLocation } from '../sources/hub/hub-location.js';
import { readBody } from '../sources/hub/read-body.js';
import { HubCheckpoint, type HubFile } from './hub-checkpoint.js';

/** 16 MiB: a page of the list has 1,000 files and about 300 kB. */
const MAX_PAGE_BYTES = 16 * 1024 * 1024;

/** Far more than any checkpoint has; a list without end is stopped here. */
const MAX_PAGES = 100;

const COMMIT = /^[0-9a-f]{40}$/;

/**
 * Pins a repository to a commit and reads its list of files. Everything later asks for that commit.
 *
 * @throws AppError NOT_FOUND or UNAVAILABLE, which says what to do
 */
export async function openHubCheckpoint(
  { repo, revision }: HubLocation,
  client: HubClient,
  policy: Partial<TransferPolicy> = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<HubCheckpoint> {
  const retry = <T>(subject: HubSubject, ask: (fetch: typeof globalThis.fetch) => Promise<T>): Promise<T> =>
    politeTransfer(
      client,
      subjectName(subject),
      { ...DEFAULT_TRANSFER_POLICY, ...policy },
      signal,
      (attemptSignal) => ask(apiFetch(client, subject, attemptSignal)),
    );
  const hubUrl = client.endpoint;
  const info = await retry({ repo, revision }, (fetch) =>
    modelInfo({ name: repo, hubUrl, fetch, additionalFields: ['sha'], ...(revision && { revision }) }),
  );
  const commit = info.sha;
  if (!COMMIT.test(commit) || (COMMIT.test(revision ?? '') && commit !== revision))
    throw new AppError('UNAVAILABLE', `${subjectName({ repo, revision })}: the hub did not tell the commit`);
  const files = await retry({ repo, revision: commit }, (fetch) =>
    readTree(listFiles({ repo, revision: commit, recursive: true, hubUrl, fetch })),
  );
  return new HubCheckpoint({ repo, commit, files, client });
}

async function readTree(entries: AsyncIterable<ListFileEntry>): Promise<ReadonlyMap<string, HubFile>> {
  const files = new Map<string, HubFile>();
  for await (const { type, path, size, oid, lfs } of entries) {
    if (type !== 'file') continue;
    const digest = lfs ? ({ algorithm: 'sha256', hex: lfs.oid } as const) : gitDigest(oid);
    files.set(path, { size: lfs?.size ?? size, digest });
  }
  return files;
}

function gitDigest(oid: string | undefined): HubFile['digest'] {
  return oid === undefined ? undefined : { algorithm: 'git-sha1', hex: oid };
}

/** What `@huggingface/hub` asks with: errors are ours, bodies are bounded, and the token is the client's affair. */
function apiFetch(client: HubClient, subject: HubSubject, signal: AbortSignal): typeof globalThis.fetch {
  let pages = 0;
  return async (input, init) => {
    pages += 1;
    if (pages > MAX_PAGES)
      throw new AppError('INVALID_FILE', `${subjectName(subject)}: the list of files has no end`);
    const accept = new Headers(init?.headers).get('accept') ?? 'application/json';
    const { response } = await client.get({ url: String(input), headers: { accept }, subject, signal });
    const bytes = await readBody(response, MAX_PAGE_BYTES, subjectName(subject), signal);
    return new Response(bytes, { status: response.status, headers: response.headers });
  };
}
