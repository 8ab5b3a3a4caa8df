import { fork } from 'node:child_process';
import { log } from '../../shared/log.js';
import { findModule } from '../worker-urls.js';

/** Looks in the time that a worker may be silent. Where the whole machine was frozen, one look comes instead of all that were due. */
const LOOKS = 4;

export interface SuperviseProps {
  /** So long without a sign of life, and the worker is ended. Milliseconds. */
  readonly silenceMs: number;
  /** What sends the signs: any message will do. @default the worker */
  readonly module?: URL;
}

/**
 * Runs the worker as a process of its own, and ends it where it hangs: its event loop is never done, it was stopped, or its
 * exit waits for a thread that is lost in a driver. None of that can be helped from within, and the first process of a
 * container cannot even kill itself.
 *
 * @returns the worker's exit status; 1 where it was killed, by this or by others
 */
export function supervise({ silenceMs, module = workerModule() }: SuperviseProps): Promise<number> {
  const worker = fork(module);
  let silentLooks = 0;
  worker.on('message', () => {
    silentLooks = 0;
  });
  const looking = setInterval(() => {
    if (silentLooks++ < LOOKS) return;
    log('error', 'the worker hangs, and is ended', { silent_seconds: silenceMs / 1000 });
    worker.kill('SIGKILL');
  }, silenceMs / LOOKS);
  const handOn = (signal: NodeJS.Signals) => void worker.kill(signal);
  process.on('SIGTERM', handOn).on('SIGINT', handOn);
  return new Promise<number>((resolve, reject) => {
    worker.once('error', reject);
    worker.once('exit', (status) => resolve(status ?? 1));
  }).finally(() => {
    clearInterval(looking);
    process.off('SIGTERM', handOn).off('SIGINT', handOn);
  });
}

function workerModule(): URL {
  return findModule('worker-process', new URL('./worker-process.js', import.meta.url));
}
