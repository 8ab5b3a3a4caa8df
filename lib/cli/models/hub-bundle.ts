import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../errors/app-error.js';
import { importCheckpoint } from '../../export/import-checkpoint.js';
import type { Manifest } from '../../schemas/manifest.js';
import { MANIFEST_NAME, parseManifest } from '../../weights/bundle/read-manifest.js';
import { type HubLocation, hubUrl } from '../../weights/sources/hub/hub-location.js';
import { readEnvironment } from '../environment.js';
import type { Progress } from '../progress.js';
import { tellBytes } from '../tell-bytes.js';
import { tellRetries } from '../tell-retries.js';
import { untilStopped } from '../until-stopped.js';
import { hubFolder } from './cache-folder.js';
import { CacheLock } from './cache-lock.js';
import { tellMemory } from './tell-memory.js';

/** The AutoencoderTiny that was made for a model's latents, by the model's repository. */
const TAESD: ReadonlyMap<string, string> = new Map([['stabilityai/sd-turbo', 'hf:madebyollin/taesd']]);

/**
 * Brings a checkpoint from Hugging Face to the cache, as a bundle, once: what is there is drawn with, without a question
 * to the hub. What Ctrl-C, a kill or a network has cut off is gone on with by the next run; of two at once one waits for
 * the other.
 *
 * @returns its directory
 * @throws AppError that names the option
 */
export async function hubBundle(location: HubLocation, progress: Progress): Promise<string> {
  const place = hubUrl(location);
  const directory = hubFolder(location);
  try {
    const manifest = await readWhole(directory);
    if (manifest) tellMemory(manifest.files, (line) => progress.note(line));
    else await bringOnce(place, location, directory, progress);
    return directory;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const { code, message, retryable } = error;
    const said = message.startsWith(place) ? message : `${place}: ${message}`;
    throw new AppError(code, `--model ${said}${advice(error)}`, { cause: error, retryable });
  }
}

async function bringOnce(
  place: string,
  location: HubLocation,
  directory: string,
  progress: Progress,
): Promise<void> {
  const onStop = () => progress.say('stopping; Ctrl-C again ends it at once');
  await untilStopped(async (signal) => {
    const onWait = () => progress.note(`${place} is on its way here for another run: waiting for it`);
    const lock = await CacheLock.wait(directory, signal, onWait);
    try {
      if (await readWhole(directory)) return;
      progress.note(`${place} is not here yet: it comes into ${directory}, once`);
      await bring(place, location, directory, progress, signal);
    } finally {
      await lock.release();
    }
  }, onStop);
}

async function bring(
  from: string,
  { repo }: HubLocation,
  to: string,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const { hub } = readEnvironment();
  const policy = { onRetry: tellRetries(progress) };
  const extras = { taesd: TAESD.get(repo), encoder: true, extrasOptional: true };
  await importCheckpoint(
    {
      from,
      to,
      ...extras,
      onPlan: (files) => tellMemory(files, (line) => progress.note(line)),
      onProgress: tellBytes(progress, `downloading ${from}`),
    },
    { hub, policy, signal, resumable: true },
  );
}

/** @returns undefined where there is no bundle, or not the whole of it */
async function readWhole(directory: string): Promise<Manifest | undefined> {
  const path = join(directory, MANIFEST_NAME);
  const bytes = await readFile(path).catch(() => undefined);
  return bytes && parseManifest(bytes, path);
}

function advice({ message, code, cause }: AppError): string {
  if (message.startsWith('not enough disk space'))
    return '; "sd-turbo models" tells what could go, XDG_CACHE_HOME names another disk';
  if (message.startsWith('stopped by ')) return ': the next run goes on with what has come';
  // What the hub has answered says by itself what to do.
  const isOffline = code === 'UNAVAILABLE' && /no connection to/.test(message) && cause !== undefined;
  return isOffline
    ? ': what has come is kept; without a network "sd-turbo models" tells what can be drawn with'
    : '';
}
