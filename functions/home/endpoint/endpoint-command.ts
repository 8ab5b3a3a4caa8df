import { fileURLToPath } from 'node:url';

/** The command line of the container's server as it lies in `dist`, with what ends it together with this process. */
export function endpointCommand(): readonly [string, ...string[]] {
  const endWithParent = new URL('./end-with-parent.js', import.meta.url);
  const server = new URL('../../endpoint/server.js', import.meta.url);
  return [process.execPath, '--enable-source-maps', '--import', endWithParent.href, fileURLToPath(server)];
}
