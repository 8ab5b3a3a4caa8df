import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

/** What a stand-in says instead of what it should. */
export type HubFault =
  | { readonly kind: 'status'; readonly status: number; readonly headers?: Record<string, string> }
  /** One bit of the body is wrong. */
  | { readonly kind: 'flip' }
  /** The connection ends after this many bytes of the body. */
  | { readonly kind: 'cut'; readonly after: number }
  /** The answer never comes. */
  | { readonly kind: 'hang' }
  /** More or other headers. */
  | { readonly kind: 'headers'; readonly headers: Record<string, string> };

export interface HubRequestSeen {
  readonly host: 'hub' | 'cdn';
  /** With the query. */
  readonly url: string;
  readonly headers: http.IncomingHttpHeaders;
}

export interface HuggingFaceServer {
  /** For `HF_ENDPOINT`. */
  readonly endpoint: string;
  readonly commit: string;
  /** All that came to either host, in order. */
  readonly requests: HubRequestSeen[];
  stop(): Promise<void>;
}

export interface HuggingFaceServerProps {
  /** `owner/name` */
  readonly repo: string;
  /** Its files; `.safetensors` are kept as git LFS keeps them, on the second host. */
  readonly folder: string;
  /** Another repository beside it, with other names of files, such as a TAESD. @default none */
  readonly beside?: { readonly repo: string; readonly folder: string };
  /** Without it the repository's files are refused as gated. @default open to all */
  readonly token?: string;
  /** Asked once for each request. @default none */
  readonly faultFor?: (request: HubRequestSeen) => HubFault | undefined;
}

/** Small, so that the list has several pages. */
const PAGE = 4;

/**
 * A repository as the Hugging Face hub serves it, on two ports of this machine: the API with its pages, and files
 * that are redirected, small ones within the host and large ones to the CDN with an address that is signed for the
 * asked range alone, as Xet's bridge does.
 */
export async function startHuggingFaceServer(props: HuggingFaceServerProps): Promise<HuggingFaceServer> {
  const requests: HubRequestSeen[] = [];
  const files = readFiles(props.folder);
  const commit = commitOf(props.repo);
  const { beside } = props;
  const besideFiles = beside ? readFiles(beside.folder) : new Map<string, StoredFile>();
  const serve = async (
    host: HubRequestSeen['host'],
    handle: (request: HubRequestSeen, url: URL) => Answer,
  ) => {
    const server = http.createServer((incoming, outgoing) => {
      const request = { host, url: incoming.url ?? '', headers: incoming.headers };
      requests.push(request);
      const fault = props.faultFor?.(request);
      if (fault?.kind === 'hang') return;
      send(outgoing, handle(request, new URL(request.url, 'http://host')), fault);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  };
  const all = new Map([...besideFiles, ...files]);
  const cdn = await serve('cdn', (request, url) => answerCdn(all, request, url));
  const hub = await serve('hub', (request, url) => {
    const own = { ...props, files, commit, cdn: cdn.url };
    const isBeside = beside !== undefined && decodeURIComponent(url.pathname).includes(beside.repo);
    if (!isBeside) return answerHub(own, request, url);
    const { repo } = beside;
    return answerHub({ ...own, repo, files: besideFiles, commit: commitOf(repo) }, request, url);
  });
  return {
    endpoint: hub.url,
    commit,
    requests,
    async stop() {
      for (const { server } of [hub, cdn]) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  };
}

function commitOf(repo: string): string {
  return createHash('sha1').update(repo).digest('hex');
}

interface StoredFile {
  readonly bytes: Buffer;
  /** git's name of what git has: the file, or the pointer to it. */
  readonly oid: string;
  /** SHA-256, where git LFS keeps it. */
  readonly lfs: string | undefined;
}

interface Answer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: Buffer | string;
}

interface Hub extends HuggingFaceServerProps {
  readonly files: ReadonlyMap<string, StoredFile>;
  readonly commit: string;
  readonly cdn: string;
}

function readFiles(folder: string): Map<string, StoredFile> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const paths = entries.map((entry) => join(entry.parentPath ?? entry.path, entry.name)).sort();
  return new Map(
    paths.map((path) => {
      const bytes = readFileSync(path);
      const lfs = path.endsWith('.safetensors')
        ? createHash('sha256').update(bytes).digest('hex')
        : undefined;
      const stored = lfs === undefined ? bytes : Buffer.from(`oid sha256:${lfs}\n`);
      const oid = createHash('sha1').update(`blob ${stored.length}\0`).update(stored).digest('hex');
      return [path.slice(folder.length + 1), { bytes, oid, lfs }] as const;
    }),
  );
}

function answerHub(hub: Hub, request: HubRequestSeen, url: URL): Answer {
  const { repo, files, commit } = hub;
  const api = `/api/models/${repo}`;
  const path = decodeURIComponent(url.pathname);
  const isKnown = (revision: string) => ['HEAD', 'main', 'v1', commit].includes(revision);
  if (path.startsWith(`${api}/revision/`)) {
    if (!isKnown(path.slice(`${api}/revision/`.length))) return refusal(404, 'RevisionNotFound');
    return json({
      _id: '1',
      id: repo,
      sha: commit,
      private: false,
      lastModified: '2024-01-01T00:00:00.000Z',
    });
  }
  if (path === `${api}/tree/${commit}`) return answerTree(files, request, url);
  const [, asked, name = ''] = new RegExp(`^/${repo}/resolve/([^/]+)/(.*)$`).exec(path) ?? [];
  if (asked === undefined) return refusal(404, path.includes(repo) ? 'RevisionNotFound' : 'RepoNotFound');
  const file = files.get(name);
  if (!isKnown(asked)) return refusal(404, 'RevisionNotFound');
  if (!file) return refusal(404, 'EntryNotFound');
  if (hub.token !== undefined && request.headers.authorization !== `Bearer ${hub.token}`) {
    return refusal(request.headers.authorization === undefined ? 401 : 403, 'GatedRepo');
  }
  const headers = { 'x-repo-commit': commit, etag: `"${file.lfs ?? file.oid}"` };
  if (file.lfs === undefined) {
    const { status, headers: more, body } = serveFile(file.bytes, request.headers.range);
    return { status, headers: { ...headers, ...more }, ...(body && { body }) };
  }
  const signed = encodeURIComponent(request.headers.range ?? '');
  return {
    status: 302,
    headers: {
      ...headers,
      'x-linked-etag': `"${file.lfs}"`,
      'x-linked-size': String(file.bytes.length),
      location: `${hub.cdn}/${name}?X-Signed-Range=${signed}&Signature=secret-signature`,
    },
  };
}

function answerTree(files: Hub['files'], request: HubRequestSeen, url: URL): Answer {
  const at = Number(url.searchParams.get('cursor') ?? 0);
  const folders = [
    ...new Set([...files.keys()].filter((path) => path.includes('/')).map((path) => path.split('/')[0])),
  ];
  const entries = [
    ...folders.map((path) => ({ type: 'directory', oid: '0'.repeat(40), size: 0, path })),
    ...[...files].map(([path, { bytes, oid, lfs }]) => ({
      type: 'file',
      oid,
      size: bytes.length,
      path,
      ...(lfs !== undefined && {
        lfs: { oid: lfs, size: bytes.length, pointerSize: 134 },
        xetHash: 'f'.repeat(64),
      }),
    })),
  ];
  const next = new URL(request.url, `http://${request.headers.host}`);
  next.searchParams.set('cursor', String(at + PAGE));
  const link: Record<string, string> =
    at + PAGE < entries.length ? { link: `<${next.href}>; rel="next"` } : {};
  return json(entries.slice(at, at + PAGE), link);
}

function answerCdn(files: Hub['files'], request: HubRequestSeen, url: URL): Answer {
  const file = files.get(decodeURIComponent(url.pathname).slice(1));
  const isSigned = (request.headers.range ?? '') === url.searchParams.get('X-Signed-Range');
  if (!file || !isSigned) return { status: 403, body: 'Auth failed: invalid range' };
  return serveFile(file.bytes, request.headers.range);
}

function serveFile(bytes: Buffer, range: string | undefined): Answer {
  if (range === undefined) return { status: 200, body: bytes };
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range) ?? [];
  const [start, end] = [Number(first), Math.min(bytes.length, Number(last) + 1)];
  if (!(start < end)) return { status: 416 };
  return {
    status: 206,
    headers: { 'content-range': `bytes ${start}-${end - 1}/${bytes.length}` },
    body: bytes.subarray(start, end),
  };
}

function json(value: unknown, headers: Record<string, string> = {}): Answer {
  return {
    status: 200,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(value),
  };
}

function refusal(status: number, code: string): Answer {
  return { status, headers: { 'x-error-code': code, 'x-error-message': `said by the stand-in: ${code}` } };
}

function send(outgoing: http.ServerResponse, answer: Answer, fault: HubFault | undefined): void {
  if (fault?.kind === 'status') {
    outgoing.writeHead(fault.status, fault.headers).end();
    return;
  }
  const more = fault?.kind === 'headers' ? fault.headers : {};
  const body = Buffer.from(answer.body ?? '');
  if (fault?.kind === 'flip' && body.length > 0) body[body.length >> 1] = (body[body.length >> 1] ?? 0) ^ 1;
  outgoing.writeHead(answer.status, { ...answer.headers, 'content-length': body.length, ...more });
  if (fault?.kind !== 'cut') {
    outgoing.end(body);
    return;
  }
  outgoing.write(body.subarray(0, fault.after), () => outgoing.socket?.destroy());
}
