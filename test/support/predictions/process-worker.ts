import { join } from 'node:path';
import { EndpointProcess } from '../processes/endpoint-process.js';
import { ROOT } from '../reference.js';
import type { StartWorker } from './pulling-worker.js';

/** Longer than any test. Seconds. */
const IDLE = '3600';

/** The container's server as a worker, a process of its own with the demo model. */
export const processWorker: StartWorker = (environment) => {
  const server = join(ROOT, 'dist/functions/endpoint/server.js');
  const worker = new EndpointProcess([process.execPath, server, 'worker'], {
    ...environment,
    MODEL_URI: join(ROOT, 'lib/demo-model/bundle'),
    IDLE_SECONDS: IDLE,
  });
  return {
    async stop() {
      worker.signal('SIGTERM');
      await worker.exited();
    },
    output: () => worker.log,
  };
};
