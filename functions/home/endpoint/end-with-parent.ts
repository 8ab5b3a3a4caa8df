import { isMainThread } from 'node:worker_threads';

/**
 * Loaded into the endpoint's process before its server: ends the process when the service that has started it
 * is gone, also by a kill -9. There is nobody left then whom a picture could be given to, so nothing is waited for.
 *
 * The service's end is seen by the channel that `stdio: 'ipc'` opens. The server itself knows nothing of it.
 */
function endWithParent(): void {
  process.once('disconnect', end);
  // The channel alone must not keep the process alive.
  process.channel?.unref();
  if (!process.connected) end();
}

function end(): void {
  process.kill(process.pid, 'SIGKILL');
}

// Worker threads load it, too, and have no channel.
if (isMainThread) endWithParent();
