import { serve as listen } from '@hono/node-server';
import { errorFields } from '../shared/error-fields.js';
import { log } from '../shared/log.js';
import type { EndpointConfig } from './config.js';
import { endpointParts } from './endpoint-parts.js';

/** How long a failed endpoint says why at `/ping`, before it ends and stops costing money. */
const LAST_WORDS_MS = 5_000;

/** The server of SageMaker's container contract: listens at once, loads the model meanwhile. */
export async function serve(config: EndpointConfig): Promise<void> {
  const { app, loader, host, queue } = await endpointParts({
    config,
    ...config,
    onBroken: (error) => {
      log('error', 'the model can draw nothing any more', errorFields(error));
      endSoon();
    },
  });
  const stopping = new AbortController();
  const hostname = config.host === undefined ? {} : { hostname: config.host };
  const server = listen({ fetch: app.fetch, port: config.port, ...hostname }, ({ port }) =>
    log('info', 'listening', { port }),
  );
  server.on('error', (error) => {
    log('error', `cannot listen on port ${config.port}`, { error: error.message });
    process.exit(1);
  });

  loader.load(stopping.signal).catch((error) => {
    if (stopping.signal.aborted) return;
    log('error', 'the model cannot be loaded', { error: error.message, retryable: error.retryable ?? false });
    // What may work later is left to whoever watches /ping; what never can is not to be paid for.
    if (!error.retryable) endSoon();
  });

  /** Answers what has been accepted, then ends; SageMaker sends SIGKILL 30 s after SIGTERM. */
  const stop = async (signal: NodeJS.Signals) => {
    log('info', 'stopping', { signal });
    stopping.abort(new Error('the endpoint is stopping'));
    const deadline = setTimeout(() => process.exit(0), config.drainMilliseconds);
    const closed = new Promise((resolve) => server.close(resolve));
    await queue.drained();
    await closed;
    await host.close();
    clearTimeout(deadline);
    log('info', 'stopped');
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop(signal));
}

/** Whoever watches this process starts another one. */
function endSoon(): void {
  setTimeout(() => process.exit(1), LAST_WORDS_MS);
}
