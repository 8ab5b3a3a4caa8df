import type { DownloadThreads } from '../../../lib/weights/download/download-bundle.js';

/** Built by the tests' global setup. */
export const FETCH_WORKER = new URL('../../../dist/lib/weights/download/fetch-worker.js', import.meta.url);

/** For bundles as small as those of tests. */
export const THREADS: DownloadThreads = { entry: FETCH_WORKER, fromBytes: 0 };
