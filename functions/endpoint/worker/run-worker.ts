import { setTimeout as pause } from 'node:timers/promises';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { noteReady } from '../../../lib/predictions/wake/wake-endpoint.js';
import { S3Records } from '../../shared/aws/s3/s3-records.js';
import { errorFields } from '../../shared/error-fields.js';
import { log } from '../../shared/log.js';
import { readWorkerConfig, type WorkerConfig } from '../config.js';
import { type EndpointParts, endpointParts } from '../endpoint-parts.js';
import { DrawQueue } from './draw-queue.js';
import { InProcessEndpoint } from './in-process-endpoint.js';
import { StateWriter } from './state-writer.js';
import { work } from './work.js';
import { workerServices } from './worker-services.js';
import { workerTelemetry } from './worker-telemetry.js';

/** Longer than `processMessage` waits: what takes too long is its to judge, and not to be tried for ever. Milliseconds. */
const DEADLINE_MS = 70_000;
/** So long the store may take to hear how this worker has ended. Milliseconds. */
const LAST_WORDS_MS = 5_000;
/** The SDK otherwise waits for ever. A poll of the queue takes up to 5 s. Milliseconds. */
const PATIENT = { connectionTimeout: 5_000, requestTimeout: 30_000, throwOnRequestTimeout: true };

/**
 * What `server.mjs worker` supervises: loads the model, then draws what a queue brings and writes results to a bucket, wherever it runs.
 * It says in `worker.json` what it is at, and ends when nobody needs it any more.
 *
 * @returns the exit status: 0 where no work was left, or SIGTERM asked for it; 1 where it has failed
 */
export async function runWorker(): Promise<number> {
  const config = readWorkerConfig();
  const stopping = stopOnSignal(config.drainMs);
  const records = new S3Records(new S3Client({ requestHandler: PATIENT }), config.resultsBucket);
  const parts = await endpointParts({
    config,
    queueLimit: 1,
    deadlineMilliseconds: DEADLINE_MS,
    onStatus: () => state.tell(),
    onBroken: (error) => void end(error, state),
  });
  const state = new StateWriter({
    records,
    worker: {
      worker: config.name,
      started_at: new Date(Date.now() - process.uptime() * 1000).toISOString(),
      ...(config.bootedAt !== undefined && { booted_at: config.bootedAt }),
    },
    status: () => parts.loader.status,
    onTrouble: (error) => log('warn', 'worker.json could not be written', errorFields(error)),
  });
  state.start();
  try {
    await loadAndWork({ config, parts, records, state, stopping });
    if (stopping.aborted) await inTime(state.lieDown());
    await inTime(state.close());
    await parts.host.close();
    log('info', 'stopped');
    return 0;
  } catch (error) {
    await sayWhy(error, state);
    return 1;
  }
}

interface Worker {
  readonly config: WorkerConfig;
  readonly parts: EndpointParts;
  readonly records: S3Records;
  readonly state: StateWriter;
  readonly stopping: AbortSignal;
}

async function loadAndWork({ config, parts, records, state, stopping }: Worker): Promise<void> {
  const { app, loader, watch } = parts;
  const pipeline = await Promise.race([loader.load(stopping), aborted(stopping)]).catch((error) => {
    if (!stopping.aborted) throw error;
  });
  if (!pipeline || stopping.aborted) return;
  const endpoint = new InProcessEndpoint(app, watch);
  const sqs = new SQSClient({ requestHandler: PATIENT });
  const telemetry = workerTelemetry(config.isMeasured);
  const services = workerServices({ config, endpoint, records, sqs, telemetry });
  // The estimate of the next wake rests on it; nobody waits for it.
  void noteReady(services, true);
  const { drawQueueUrl: url, visibilitySeconds, idleMs } = config;
  // What it cannot say or hear is tried again here, with pauses of our own.
  const client = new SQSClient({ requestHandler: PATIENT, maxAttempts: 1 });
  const queue = new DrawQueue({ client, url, visibilitySeconds });
  await work({ queue, services, telemetry, state, idleMs, stopping });
}

/** At once: what hangs or is broken below cannot be closed. The message under way comes again, to another process. */
async function end(error: unknown, state: StateWriter): Promise<never> {
  await sayWhy(error, state);
  process.exit(1);
}

async function sayWhy(error: unknown, state: StateWriter): Promise<void> {
  log('error', 'the worker has failed', errorFields(error));
  await inTime(state.fail(error));
}

/** Aborted by SIGTERM or SIGINT; where the picture under way takes too long then, its message is left to others. */
function stopOnSignal(drainMs: number): AbortSignal {
  const stopping = new AbortController();
  const stop = (signal: NodeJS.Signals) => {
    if (stopping.signal.aborted) return;
    log('info', 'stopping', { signal });
    setTimeout(() => process.exit(1), drainMs).unref();
    stopping.abort(new Error('the worker is stopping'));
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, stop);
  return stopping.signal;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

async function inTime(words: Promise<unknown>): Promise<void> {
  await Promise.race([words, pause(LAST_WORDS_MS, undefined, { ref: false })]);
}
