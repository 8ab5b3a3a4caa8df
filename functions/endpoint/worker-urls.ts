import { existsSync } from 'node:fs';

/** The modules of the worker threads, and of the process that reads pictures: beside the bundled server, or in `dist` where the sources lie one by one. */
export const workerUrls = {
  session: (): URL =>
    findModule('session-worker', new URL('../../lib/runtime/session-worker.js', import.meta.url)),
  decode: (): URL =>
    findModule('decode-process', new URL('../../lib/image/decode-process.js', import.meta.url)),
  fetch: (): URL =>
    findModule('fetch-worker', new URL('../../lib/weights/download/fetch-worker.js', import.meta.url)),
};

/** @param name of the file in the bundle */
export function findModule(name: string, unbundled: URL): URL {
  const bundled = new URL(`./${name}.mjs`, import.meta.url);
  return existsSync(bundled) ? bundled : unbundled;
}
