import { expect, test } from 'vitest';
import type { GenerateProgress } from '../../lib/client/client.js';
import { createClient } from '../../lib/client/create-client.js';
import type { PredictInput } from '../../lib/client/generate-input.js';
import { connector } from './connect.js';
import { ANSWER, accepted, answered, DATE, failed, ID, IMAGES, queued, succeeded } from './scripts.js';

const connect = connector();

test('submit has it drawn later, with the names of the wire and a key of its own', async () => {
  const busy = { status: 503, body: {} };
  const { client, seen } = await connect(busy, accepted);
  const input = {
    prompt: 'x',
    steps: 2,
    numImages: 3,
    format: 'webp',
    webhook: 'https://example.com',
  } as const;
  expect(await client.submit({ ...input, seed: undefined })).toEqual({ id: ID });
  expect(seen[1]?.body).toEqual({
    prompt: 'x',
    num_steps: 2,
    num_images: 3,
    output_format: 'webp',
    webhook: 'https://example.com',
  });
  expect(seen[1]?.headers['prefer']).toBe('respond-async');
  expect(seen[1]?.headers['idempotency-key']).toMatch(/^[0-9a-f]{32}$/);
  expect(seen[0]?.headers['idempotency-key']).toBe(seen[1]?.headers['idempotency-key']);
});

test('submit finds the id of what has ended under its key meanwhile', async () => {
  const replayed = { ...answered, headers: { location: `https://example.com/prod/predictions/${ID}` } };
  const { client } = await connect(replayed, answered);
  expect(await client.submit({ prompt: 'x' })).toEqual({ id: ID });
  await expect(client.submit({ prompt: 'x' })).rejects.toThrow('idempotencyKey');
});

test('get looks once, and says what there is in the names of the client', async () => {
  const { client, seen } = await connect(queued, succeeded, failed);
  const base = { id: ID, createdAt: DATE };
  expect(await client.get(ID)).toEqual({ ...base, status: 'queued' });
  const done = { ...base, ...IMAGES, status: 'succeeded', completedAt: DATE, timings: {} };
  expect(await client.get(ID, { waitSeconds: 9.5 })).toEqual(done);
  expect(await client.get(ID)).toMatchObject({ ...base, status: 'failed', error: { requestId: 'r' } });
  expect(seen.map(({ headers }) => headers['prefer'])).toEqual([undefined, 'wait=10', undefined]);
});

test('follow waits for a prediction of another program', async () => {
  const { client, seen } = await connect(queued, succeeded);
  const told: GenerateProgress[] = [];
  const images = await client.follow(ID, { onProgress: (progress) => told.push(progress) });
  expect(images).toMatchObject(IMAGES);
  expect(seen.map(({ method }) => method)).toEqual(['GET', 'GET']);
  expect(told.map(({ phase, id }) => [phase, id])).toEqual([
    ['waking', ID],
    ['waking', ID],
  ]);
});

test.each(['', '../health', 'a/b', undefined])('%j is no id, and reaches no other path', async (id) => {
  const { client, seen } = await connect();
  await expect(client.follow(id as string)).rejects.toThrow(/^id: /);
  await expect((async () => client.get(id as string))()).rejects.toThrow(/^id: /);
  expect(seen).toEqual([]);
});

// More than a function takes arguments, and every byte.
const BYTES = Uint8Array.from({ length: 150_000 }, (_, at) => at % 251);
const BASE64 = Buffer.from(BYTES).toString('base64');
const inMiddle = new Uint8Array(BYTES.length + 8);
inMiddle.set(BYTES, 5);

test.each<[string, PredictInput['image'], string]>([
  ['a Uint8Array', BYTES, BASE64],
  ["a part of another's buffer", inMiddle.subarray(5, -3), BASE64],
  ['a Buffer', Buffer.from(BYTES), BASE64],
  ['a Blob', new Blob([BYTES], { type: 'image/png' }), BASE64],
  ['base64', BASE64, BASE64],
  ['a data URL', `data:image/png;base64,${BASE64}`, `data:image/png;base64,${BASE64}`],
])('image: %s', async (_, image, sent) => {
  const { client, seen } = await connect(answered);
  await client.generate({ prompt: 'x', image, strength: 0.5 });
  expect(seen[0]?.body).toEqual({ prompt: 'x', image: sent, strength: 0.5 });
});

test.each([
  [{ num_steps: 2 }, 'num_steps: is called steps here; the fields are prompt, '],
  [{ numSteps: 2 }, 'numSteps: is called steps here; the fields are prompt, '],
  [{ n: 2 }, 'n: is called numImages here'],
  [{ webhok: 'https://example.com' }, 'webhok: is not a field here: did you mean webhook? The fields are '],
  [{ image: new ArrayBuffer(4) }, 'image: must be a Blob'],
  [{ image: null }, 'image: must be a Blob'],
])('what the types do not allow is refused before it is sent: %j', async (fields, message) => {
  const { client, seen } = await connect();
  await expect(client.generate({ prompt: 'x', ...fields } as PredictInput)).rejects.toThrow(message);
  expect(seen).toEqual([]);
});

test('a picture is a part of a Blob, for the type checker too', async () => {
  const { client } = await connect(answered);
  const { images, contentType } = await client.generate({ prompt: 'x' });
  const blobs = images.map((image) => new Blob([image], { type: contentType }));
  expect(Buffer.from(await (blobs[0] as Blob).arrayBuffer()).toString('base64')).toBe(ANSWER.result);
  expect(blobs[0]?.type).toBe('image/png');
});

const URL_WITH_SECRET = 'http://user:secret@127.0.0.1:9';
test.each<[unknown, unknown, string]>([
  ['not a url', 'k', 'url: not a url is none that can be asked'],
  ['localhost:8000', 'k', 'url: localhost:8000 is none'],
  ['ftp://example.com', 'k', 'url: ftp://example.com is none'],
  ['http://', 'k', 'url: http:// is none'],
  ['/pictures', 'k', 'url: /pictures is none'],
  ['', 'k', 'url: '],
  [undefined, 'k', 'url: must be a string, not undefined'],
  [URL_WITH_SECRET, 'k', 'url: must not have a user or a password'],
  ['http://127.0.0.1:9/#key=secret', 'k', 'url: must end before its ? or #'],
  ['http://127.0.0.1:9/?key=secret', 'k', 'url: must end before its ? or #'],
  ['http://127.0.0.1:9', 'a\nsecret', 'apiKey: it has characters'],
  ['http://127.0.0.1:9', 'secret\n', 'apiKey: it has characters'],
  ['http://127.0.0.1:9', 'secrét', 'apiKey: it has characters'],
  ['http://127.0.0.1:9', '', 'apiKey: must not be empty'],
  ['http://127.0.0.1:9', undefined, 'apiKey: must be a string, not undefined'],
])('createClient refuses what no request can have: %j, %j', (url, apiKey, message) => {
  const create = () => createClient({ url: url as string, apiKey: apiKey as string });
  expect(create).toThrow(message);
  expect(create).not.toThrow('secret');
});

test('a page asks a path of its own origin, and leaves the key to the server there', async () => {
  const { url, seen } = await connect(answered);
  const { origin, pathname } = new URL(url);
  const page = globalThis as { location?: { href: string } };
  page.location = { href: `${origin}/app/index.html#here` };
  try {
    await createClient({ url: `${pathname}/`, apiKey: null }).generate({ prompt: 'x' });
  } finally {
    delete page.location;
  }
  expect(seen[0]?.path).toBe('/prod/predict');
  expect(seen[0]?.headers).not.toHaveProperty('x-api-key');
});
