import { runWorker } from './run-worker.js';

/** Far below what `supervise` waits for. */
const BEAT_MS = 1_000;

// Whoever ends the supervisor, by a kill -9, too, means this process.
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
process.channel?.unref();
setInterval(() => process.send?.('alive'), BEAT_MS).unref();
process.exit(await runWorker());
