import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { CheckpointReader } from '../../../lib/weights/checkpoint/checkpoint-reader.js';
import { openHubCheckpoint } from '../../../lib/weights/checkpoint/open-hub-checkpoint.js';
import { HubClient } from '../../../lib/weights/sources/hub/hub-client.js';
import { randomBytes } from '../../support/graphs/random-bundle.js';
import {
  type HubFault,
  type HubRequestSeen,
  type HuggingFaceServer,
  startHuggingFaceServer,
} from '../../support/hugging-face-server.js';

const REPO = 'someone/some-model';
const TOKEN = 'hf_doNotTellAnyone';
const folder = mkdtempSync(join(tmpdir(), 'hub-'));
mkdirSync(join(folder, 'unet'));
const weights = randomBytes(100_000, 1);
writeFileSync(join(folder, 'unet/model.safetensors'), weights);
writeFileSync(join(folder, 'unet/config.json'), '{"a": 1}');
for (let index = 0; index < 10; index++) writeFileSync(join(folder, `file ${index}.txt`), String(index));
afterAll(() => rmSync(folder, { recursive: true }));

const servers: HuggingFaceServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

const slept: number[] = [];
const policy = {
  retries: 2,
  stallTimeoutMs: 5_000,
  random: () => 0,
  sleep: async (ms: number) => {
    slept.push(ms);
  },
};

interface Setup {
  readonly token?: string;
  readonly gate?: string;
  readonly revision?: string;
  readonly repo?: string;
  readonly faultFor?: (request: HubRequestSeen) => HubFault | undefined;
}

async function start({ token, gate, repo = REPO, revision, faultFor }: Setup = {}) {
  slept.length = 0;
  const server = await startHuggingFaceServer({
    repo: REPO,
    folder,
    ...(gate && { token: gate }),
    ...(faultFor && { faultFor }),
  });
  servers.push(server);
  const client = new HubClient({ endpoint: server.endpoint, now: () => 1000, ...(token && { token }) });
  const open = () => openHubCheckpoint({ repo, revision }, client, policy);
  const reader = async () => new CheckpointReader(await open(), policy);
  return { server, open, reader };
}

const once = (matches: (request: HubRequestSeen) => boolean, fault: HubFault) => {
  let left = 1;
  return (request: HubRequestSeen) => (matches(request) && left-- > 0 ? fault : undefined);
};

describe('a repository', () => {
  test('is pinned to its commit, and every page of its list is read', async () => {
    const { server, open } = await start();
    const source = await open();
    expect(source).toMatchObject({ name: REPO, revision: server.commit });
    expect(await source.list('unet')).toEqual(new Set(['model.safetensors', 'config.json']));
    expect(await source.list('')).toHaveLength(10);
    expect(await source.size('unet/model.safetensors')).toBe(100_000);
    expect(await source.size('absent')).toBeUndefined();
    const later = server.requests.filter(({ url }) => !url.includes('/revision/'));
    expect(later).toHaveLength(4);
    for (const { url } of later) expect(url).toContain(`/tree/${server.commit}?`);
  });

  test('gives ranges of its files, each asked for at the commit', async () => {
    const { server, reader } = await start();
    const files = await reader();
    const read = await files.readRange('unet/model.safetensors', { start: 70_000, end: 100_000 });
    expect(weights.subarray(70_000).equals(read)).toBe(true);
    expect(new TextDecoder().decode(await files.readSmall('file 3.txt', 100))).toBe('3');
    const urls = server.requests.slice(-3).map(({ host, url }) => `${host} ${url.split('?')[0]}`);
    expect(urls).toEqual([
      `hub /${REPO}/resolve/${server.commit}/unet/model.safetensors`,
      'cdn /unet/model.safetensors',
      `hub /${REPO}/resolve/${server.commit}/file%203.txt`,
    ]);
  });

  test('sends the token to the hub and to no other host', async () => {
    const { server, reader } = await start({ token: TOKEN, gate: TOKEN });
    await (await reader()).readRange('unet/model.safetensors', { start: 0, end: 10 });
    const [hub, cdn] = (['hub', 'cdn'] as const).map((host) =>
      server.requests.filter((each) => each.host === host),
    );
    expect(new Set(hub?.map(({ headers }) => headers.authorization))).toEqual(new Set([`Bearer ${TOKEN}`]));
    expect(cdn).toHaveLength(1);
    expect(JSON.stringify(cdn)).not.toContain(TOKEN);
  });
});

describe('what goes wrong once is tried again', () => {
  const isCdn = ({ host }: HubRequestSeen) => host === 'cdn';
  const isTree = ({ url }: HubRequestSeen) => url.includes('/tree/');
  test.each<[string, (request: HubRequestSeen) => boolean, HubFault]>([
    ['500 in the API', isTree, { kind: 'status', status: 500 }],
    ['a list that breaks off', isTree, { kind: 'cut', after: 20 }],
    ['500 of the CDN', isCdn, { kind: 'status', status: 500 }],
    ['an address that has come of age', isCdn, { kind: 'status', status: 403 }],
    ['a body that breaks off', isCdn, { kind: 'cut', after: 5000 }],
    [
      'another range than asked for',
      isCdn,
      { kind: 'headers', headers: { 'content-range': 'bytes 0-9/100000' } },
    ],
    ['wrong bytes of a small file', ({ url }) => url.endsWith('/unet/config.json'), { kind: 'flip' }],
  ])('%s', async (_, matches, fault) => {
    const { reader } = await start({ faultFor: once(matches, fault) });
    const files = await reader();
    const read = await files.readRange('unet/model.safetensors', { start: 0, end: 50_000 });
    expect(weights.subarray(0, 50_000).equals(read)).toBe(true);
    expect(new TextDecoder().decode(await files.readSmall('unet/config.json', 100))).toBe('{"a": 1}');
    expect(slept).toEqual([0]);
  });

  test.each([
    ['seconds', { 'retry-after': '17' }, 17_000],
    ['a date', { 'retry-after': 'Thu, 01 Jan 1970 00:00:21 GMT' }, 20_000],
    ["the hub's own header", { ratelimit: '"api";r=0;t=55' }, 55_000],
    ['longer than anyone would wait', { 'retry-after': '86400' }, 360_000],
  ])('429, after as long as it asks: %s', async (_, headers, expected) => {
    const { open } = await start({ faultFor: once(isTree, { kind: 'status', status: 429, headers }) });
    await open();
    expect(slept).toEqual([expected]);
  });

  test('429, which holds the other requests back too', async () => {
    const throttle = { kind: 'status', status: 429, headers: { 'retry-after': '9' } } as const;
    const { reader } = await start({ faultFor: once(isCdn, throttle) });
    const files = await reader();
    await files.readRange('unet/model.safetensors', { start: 0, end: 10 });
    await files.readSmall('unet/config.json', 100);
    expect(slept).toEqual([9000, 9000]);
  });
});

describe('what cannot be had is one line that says what to do', () => {
  async function failure(setup: Setup, path = 'unet/model.safetensors'): Promise<string> {
    const { reader } = await start(setup);
    const error = await reader()
      .then((files) => files.readRange(path, { start: 0, end: 1 }))
      .then(
        () => expect.fail('it was had'),
        (reason) => reason,
      );
    expect(error).toMatchObject({ name: 'AppError' });
    expect(error.message).not.toContain(TOKEN);
    expect(error.message).not.toContain('secret-signature');
    expect(error.message).not.toContain('\n');
    return `${error.code} ${error.message}`;
  }
  const status = (code: number, headers = {}) => ({
    faultFor: () => ({ kind: 'status' as const, status: code, headers }),
  });

  test.each<[string, Setup, RegExp]>([
    ['no such repository', { repo: 'someone/nothing' }, /^NOT_FOUND hf:someone\/nothing does not exist/],
    ['no such revision', { revision: 'v2' }, /^NOT_FOUND hf:someone\/some-model has no revision v2/],
    ['gated, no token', { gate: TOKEN }, /^UNAVAILABLE .*is gated: accept its licence on http.*set HF_TOKEN/],
    [
      'gated, a token without access',
      { gate: TOKEN, token: 'hf_other' },
      /^UNAVAILABLE .*is gated and the account of HF_TOKEN has no access: accept its licence/,
    ],
    ['401 without a token', status(401), /does not exist or is private: check the name, or set HF_TOKEN/],
    ['401 with a token', { ...status(401), token: TOKEN }, /HF_TOKEN was not accepted/],
    ['403 with a token', { ...status(403), token: TOKEN }, /HF_TOKEN may not read this repository/],
    [
      '429 for ever',
      status(429, { 'retry-after': '1' }),
      /^UNAVAILABLE .*too many requests .*\(3 attempts\)/,
    ],
    ['500 for ever', status(500), /^UNAVAILABLE .*HTTP 500.*\(3 attempts\)/],
    ['redirects for ever', status(302, { location: '/again' }), /more than 8 redirects/],
    ['a redirect to another protocol', status(302, { location: 'ftp://x/y' }), /not https/],
  ])('%s', async (_, setup, message) => {
    expect(await failure(setup)).toMatch(message);
  });

  test('no such file', async () => {
    expect(await failure({}, 'unet/absent')).toMatch(
      /^NOT_FOUND hf:someone\/some-model@.* has no file unet\/absent/,
    );
  });

  test.each([
    ['another commit', { 'x-repo-commit': 'f'.repeat(40) }],
    ['another file', { 'x-linked-etag': `"${'e'.repeat(64)}"` }],
  ])('%s than the one that is pinned', async (_, headers) => {
    const fault = { kind: 'headers', headers } as const;
    const faultFor = ({ url }: HubRequestSeen) => (url.includes('/resolve/') ? fault : undefined);
    expect(await failure({ faultFor })).toMatch(
      /^INVALID_FILE .*answers with another file than its list names/,
    );
  });

  test('a list without end', async () => {
    let page = 0;
    const faultFor = ({ url, headers }: HubRequestSeen): HubFault | undefined =>
      url.includes('/tree/')
        ? { kind: 'headers', headers: { link: `<http://${headers.host}${url}&x=${page++}>; rel="next"` } }
        : undefined;
    expect(await failure({ faultFor })).toMatch(/^INVALID_FILE .*the list of files has no end/);
  });

  test('no server', async () => {
    const { server, open } = await start();
    await server.stop();
    await expect(open()).rejects.toThrow(/no connection to 127\.0\.0\.1:\d+: ECONNREFUSED.*\(3 attempts\)/);
  });
});

test.each(['ftp://x', 'huggingface.co', 'https://user:pw@host', ''])(
  'the endpoint %j is refused',
  (endpoint) => {
    expect(() => new HubClient({ endpoint })).toThrow(/endpoint must be an address/);
  },
);

test('a token that cannot be a header is refused without being shown', () => {
  expect(() => new HubClient({ token: `${TOKEN}\nx` })).toThrow(/^the Hugging Face token has characters/);
});
