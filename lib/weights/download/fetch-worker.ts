import { parentPort } from 'node:worker_threads';
import { DirectReader } from '../sources/direct/direct-reader.js';
import type { FetchEnd, FetchMessage, FetchOrder, FetchReply } from './fetch-messages.js';
import { FileTarget } from './file-target.js';

/**
 * Read and written at once, for each fetch under way. Large writes into a new file are cheap, since the kernel then
 * takes its memory in large pieces; two of these still fit into the cache of a core.
 */
const BUFFER_BYTES = 512 * 1024;

/** How often the other side is told that bytes are coming, so that it can tell slow from stalled. */
const REPORT_MS = 50;

// This thread asks for ranges and writes them to files, and knows nothing of S3 or of what the files are.
const port = parentPort;
if (!port) throw new Error('fetch-worker runs as a worker thread only');
const reader = new DirectReader();
const underWay = new Map<number, AbortController>();
/** New memory for each fetch would cost more than what is done in it. */
const buffers: Buffer[] = [];

port.on('message', ({ id, order }: FetchMessage) => {
  if (order) void fetch(id, order);
  else underWay.get(id)?.abort(new Error('given up'));
});

async function fetch(id: number, { request, descriptor, at, length }: FetchOrder): Promise<void> {
  const controller = new AbortController();
  underWay.set(id, controller);
  let bytes = 0;
  let reported = performance.now();
  const reply = (more: { end?: FetchEnd } = {}) => {
    port?.postMessage({ id, bytes, ...more } satisfies FetchReply);
    bytes = 0;
    reported = performance.now();
  };
  const onBytes = (count: number) => {
    bytes += count;
    if (performance.now() - reported >= REPORT_MS) reply();
  };
  const buffer = buffers.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES);
  const target = new FileTarget(descriptor, at, length, buffer, onBytes);
  try {
    const done = await reader.get(request, target, controller.signal);
    reply({ end: done ? { kind: 'done', crc32: target.crc32 } : { kind: 'declined' } });
  } catch (caught) {
    const { message, code } = caught as NodeJS.ErrnoException;
    reply({ end: { kind: 'failed', error: { message, code, disk: caught === target.writeError } } });
  } finally {
    underWay.delete(id);
    buffers.push(buffer);
  }
}
