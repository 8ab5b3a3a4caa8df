import { expect, test } from 'vitest';
import { collectEvents } from '../support/collect-events.js';

/** The text in pieces of so many bytes. */
function inPieces(text: string, size: number): Response {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.subarray(at, at + size));
      at += size;
    },
  });
  return new Response(body);
}

const TEXT = [
  'retry: 1000\n\n',
  ': a sign of life\n\n',
  'event: progress\ndata: {"a":1}\nid: one\n\n',
  'data: Bäume\ndata:und\ndata\n\n',
  'event: ended\nid: two\ndata: x: y\n\n',
  'data: half',
].join('');

const EVENTS = [
  { event: 'progress', data: '{"a":1}', id: 'one' },
  { event: 'message', data: 'Bäume\nund\n', id: 'one' },
  { event: 'ended', data: 'x: y', id: 'two' },
];

test.each([1, 2, 3, 7, 1000])('events that come in pieces of %d bytes', async (size) => {
  for (const end of ['\n', '\r\n', '\r'])
    expect(await collectEvents(inPieces(TEXT.replaceAll('\n', end), size))).toEqual(EVENTS);
});

test('no body has no events', async () => {
  expect(await collectEvents(new Response(null))).toEqual([]);
});
