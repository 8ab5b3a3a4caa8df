import { writeFileSync } from 'node:fs';
import { decodeImage } from './decode-image.js';
import type { DecodeOrder, DecodeReply } from './decode-messages.js';
import type { PictureLimits } from './picture-limits.js';
import { sharp } from './sharp.js';

/** Between two looks at what a picture has cost. Milliseconds. */
const LOOK_MS = 20;

// This process reads pictures, one after another, and ends itself when one costs too much: its threads cannot be stopped in
// any other way. `process.exit` would wait for them.
const end = () => process.kill(process.pid, 'SIGKILL');
process.once('disconnect', end);
// Ctrl-C goes to all processes of a terminal. Whoever has started this one says when it is no longer needed.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);

// Where memory runs out the kernel is to end this process, and not the one with the model. Linux only.
try {
  writeFileSync('/proc/self/oom_score_adj', '1000');
} catch {
  // Elsewhere the kernel chooses.
}

// A core at most, and nothing kept from one picture to the next.
sharp.concurrency(1);
sharp.cache(false);
const idleBytes = process.memoryUsage.rss();

process.on('message', async (order: DecodeOrder) => {
  const watch = setInterval(endAbove, LOOK_MS, order.limits, process.cpuUsage());
  const reply = await decodeImage(order).then(
    (image): DecodeReply => ({ kind: 'decoded', image }),
    ({ message }): DecodeReply => ({ kind: 'refused', message }),
  );
  clearInterval(watch);
  send(reply);
});
send({ kind: 'ready' });

function endAbove({ cpuSeconds, memoryBytes }: PictureLimits, before: NodeJS.CpuUsage): void {
  const { user, system } = process.cpuUsage(before);
  if (user + system > cpuSeconds * 1e6 || process.memoryUsage.rss() > idleBytes + memoryBytes) end();
}

function send(reply: DecodeReply): void {
  process.send?.(reply);
}
