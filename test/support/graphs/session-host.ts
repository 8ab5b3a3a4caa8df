import { SessionHost } from '../../../lib/runtime/session-host.js';

/** A session thread on the compiled sources, which Vitest's global setup has brought up to date. */
export function startSessionHost(): SessionHost {
  return new SessionHost(new URL('../../../dist/lib/runtime/session-worker.js', import.meta.url));
}
