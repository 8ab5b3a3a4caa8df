import { existsSync } from 'node:fs';

/** The worker thread's module: beside the bundled server, or in `dist` where the sources lie one by one. */
export function sessionWorker(): URL {
  const bundled = new URL('./session-worker.mjs', import.meta.url);
  return existsSync(bundled) ? bundled : new URL('../../lib/runtime/session-worker.js', import.meta.url);
}
