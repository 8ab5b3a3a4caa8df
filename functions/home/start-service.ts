import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { AppError } from '../../lib/errors/app-error.js';
import { KEY_FILE } from '../../lib/keys/read-key-file.js';
import type { ApiServices } from '../../lib/predictions/delivery/delivery.js';
import { PushedDelivery } from '../../lib/predictions/delivery/pushed-delivery.js';
import type { HomeService, HomeServiceProps, StartHomeService } from '../../lib/predictions/home-service.js';
import type { PictureLinks } from '../../lib/predictions/picture-links.js';
import { failDeadLetter, processMessage } from '../../lib/predictions/process-message.js';
import type { WorkerServices } from '../../lib/predictions/services.js';
import { SYSTEM_CLOCK } from '../../lib/predictions/system-clock.js';
import { noteReady, wakeEndpoint } from '../../lib/predictions/wake/wake-endpoint.js';
import { Waker } from '../../lib/predictions/wake/waker.js';
import { ANY_ORIGIN } from '../../lib/schemas/cors-origins.js';
import { makeFolders } from '../../lib/weights/disk/make-folders.js';
import { apiApp } from '../api/app.js';
import { errorFields } from '../shared/error-fields.js';
import { toProblem } from '../shared/problem-response.js';
import { reportEvent } from '../shared/report-event.js';
import { webhookKey } from '../shared/webhooks/sign-webhook.js';
import { makeWebhookSender } from '../shared/webhooks/webhook-sender.js';
import { ChildEndpoint } from './endpoint/child-endpoint.js';
import { endpointCommand } from './endpoint/endpoint-command.js';
import { HomeServer } from './home-server.js';
import { keyChecker } from './key-checker.js';
import { KeyRing } from './keys/key-ring.js';
import { QuotaCount } from './keys/quota-count.js';
import { LocalMessageQueue } from './local-message-queue.js';
import { linkSecret } from './pictures/link-secret.js';
import { pictureRoute } from './pictures/picture-route.js';
import { SignedLinks } from './pictures/signed-links.js';
import { FileWakeLog } from './records/file-wake-log.js';
import { FolderLock } from './records/folder-lock.js';
import { FolderPredictionStore } from './records/folder-prediction-store.js';
import { HoldingStore } from './records/holding-store.js';
import { removeExpired } from './records/remove-expired.js';
import { requeueUnfinished } from './records/requeue-unfinished.js';
import { tellSparingly } from './tell-sparingly.js';
import { terminalTelemetry } from './terminal-telemetry.js';

/** As in AWS: RETENTION_DAYS. */
const RETENTION_MS = 86_400_000;
const SWEEP_MS = 3_600_000;
/** Before one has been seen: the demo model's on a laptop. Seconds. */
const FIRST_WAKE = 3;
/** So long Ctrl-C waits for pictures that are being drawn: nobody wants to wait longer for a prompt. Milliseconds. */
const DRAIN_MS = 10_000;
/** Nothing is drawn any more when the endpoint is asked to end. Milliseconds. */
const STOP_GRACE_MS = 3_000;
/** Longer than the worker waits: what takes too long is its to judge, and not to be tried for ever. Seconds. */
const ENDPOINT_DEADLINE_S = 70;

const ANY_PAGE = '--cors-origin *: any page may use this service with a key that it has';

type Home = Awaited<ReturnType<typeof homeServices>>;

/** Wires the routes of functions/api to a folder, a queue in this process, and the endpoint as a child process. */
export const startService: StartHomeService = async (props) => {
  const { secrets, dataFolder } = props;
  checkWebhookSecret(secrets.webhookSecret);
  await makeFolder(dataFolder);
  const lock = await FolderLock.take(dataFolder);
  try {
    return await startLocked(props, lock);
  } catch (error) {
    await lock.release();
    throw error;
  }
};

async function startLocked(props: HomeServiceProps, lock: FolderLock): Promise<HomeService> {
  const { listen, secrets, dataFolder, signal } = props;
  const own = { url: '' };
  const links = new SignedLinks({ secret: await linkSecret(dataFolder), ownUrl: () => own.url });
  const home = await homeServices(props, await FileWakeLog.open(join(dataFolder, 'wake.json')), links);
  await home.store.removePartials();
  const app = apiApp({
    services: home.services,
    telemetry: home.telemetry,
    caller: keyChecker(home.keys),
    streams: { stopping: home.stopping.signal },
    baseUrl: (request) => new URL(request.url).origin,
    corsOrigins: listen.corsOrigins ?? [],
  });
  app.get('/pictures/:id/:name', ({ req }) => {
    const { id, name } = req.param();
    return pictureRoute(links.read(id, name, new URL(req.url).searchParams), home.store);
  });
  const server = await HomeServer.listen({
    fetch: (request) => app.fetch(request),
    ...listen,
    onAnswer: home.telemetry.answered,
  });
  own.url = server.url;
  await lock.announce(server.url);
  if (listen.corsOrigins?.includes(ANY_ORIGIN)) home.telemetry.log('warn', ANY_PAGE);
  const close = closer(home, server);
  try {
    await sweep(home);
    await requeueUnfinished(home.store, home.queue, home.onTrouble);
    await wakeEndpoint(home.services);
    // A request may have been first to wake it, and not be there yet.
    await home.endpoint.wake();
    await unlessAborted(home.endpoint.ready(), signal);
  } catch (error) {
    await close();
    throw error;
  }
  const stop = async () => {
    home.telemetry.notice('stopping: what is being drawn is finished first');
    await close();
    await lock.release();
  };
  return { url: server.url, key: secrets.apiKey, close: stop };
}

async function homeServices(props: HomeServiceProps, log: FileWakeLog, links: PictureLinks) {
  const { model, secrets, dataFolder, idleSeconds, report } = props;
  const telemetry = terminalTelemetry(report);
  const onTrouble = tellSparingly((what, error) => telemetry.log('warn', what, errorFields(error)));
  const start = { isOver: false };
  const store = new FolderPredictionStore(dataFolder);
  const queue = new LocalMessageQueue({
    work: (message) => processMessage(message, worker),
    giveUp: (message) => failDeadLetter(message, worker),
    onTrouble,
  });
  const endpoint = new ChildEndpoint({
    command: endpointCommand(),
    settings: {
      MODEL_URI: model.uri,
      MODEL_DIRECTORY: model.directory,
      PROVIDER: 'cpu',
      DEADLINE_SECONDS: String(ENDPOINT_DEADLINE_S),
    },
    ...(idleSeconds === undefined ? {} : { idleSeconds }),
    onLine: telemetry.relay,
    onStatus: report.status,
    onSleep: () => telemetry.notice(`no work for ${idleSeconds} s: the endpoint sleeps`),
    onReady: () => {
      start.isOver = true;
      telemetry.notice('the endpoint is ready');
      void noteReady(services, true);
      queue.hasten();
    },
    // At the start it is thrown.
    onTrouble: (what, error) => {
      if (start.isOver) onTrouble(what, error);
    },
  });
  const services: ApiServices & WorkerServices = {
    delivery: new PushedDelivery(endpoint),
    endpoint,
    store,
    links,
    queue,
    waker: new Waker({ endpoint, log, firstEstimate: FIRST_WAKE }),
    clock: SYSTEM_CLOCK,
    retentionMs: RETENTION_MS,
    toProblem,
    onEvent: (event) =>
      event.kind === 'trouble' ? onTrouble(event.what, event.error) : reportEvent(telemetry, event),
    sendWebhook: makeWebhookSender({ secret: async () => secrets.webhookSecret }),
  };
  const worker = { ...services, store: new HoldingStore(store) };
  const quotas = await QuotaCount.open({ file: join(dataFolder, 'key-usage.json'), onTrouble });
  const file = join(dataFolder, KEY_FILE);
  const keys = new KeyRing({ defaultKey: secrets.apiKey, file, quotas, onTrouble });
  const stopping = new AbortController();
  return { services, telemetry, store, queue, endpoint, keys, quotas, stopping, onTrouble };
}

function sweep({ store, onTrouble }: Home): Promise<void> {
  return removeExpired({ store, retentionMs: RETENTION_MS, now: Date.now(), onTrouble });
}

function closer(home: Home, server: HomeServer): HomeService['close'] {
  const { queue, endpoint, quotas, stopping } = home;
  const sweeps = setInterval(() => void sweep(home), SWEEP_MS);
  return async () => {
    clearInterval(sweeps);
    stopping.abort();
    // What is cut off here is in the store, and goes into the queue at the next start.
    const worked = Promise.race([queue.close(), pause(DRAIN_MS, undefined, { ref: false })]);
    await Promise.all([server.close(DRAIN_MS), worked]);
    await quotas.close();
    await endpoint.close(STOP_GRACE_MS);
  };
}

function checkWebhookSecret(secret: string): void {
  try {
    webhookKey(secret);
  } catch (cause) {
    throw new AppError('INVALID_INPUT', `--webhook-secret: ${(cause as Error).message}`, { cause });
  }
}

async function makeFolder(folder: string): Promise<void> {
  try {
    // A folder that is not there yet, on a disk that is full, is told before anything is started.
    const predictions = join(folder, 'predictions');
    await makeFolders(predictions, 0o700);
    for (const used of [folder, predictions])
      await access(used, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code;
    throw new AppError('INVALID_INPUT', `--data ${folder} cannot be used (${reason})`, { cause });
  }
}

async function unlessAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  await Promise.race([work, aborted]);
}
