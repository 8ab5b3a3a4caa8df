import { log } from '../shared/log.js';
import { readModelConfig } from './config.js';
import { endpointParts } from './endpoint-parts.js';

/**
 * `server.mjs self-test`: loads the model as the server does, which ends with a known picture that is drawn and looked at.
 * Whether a new machine can draw is known before anybody asks it to.
 *
 * @returns the exit status; where it is not 0, the last line of stderr says why
 */
export async function selfTest(): Promise<number> {
  try {
    const config = readModelConfig();
    const { loader, host } = await endpointParts({ config, queueLimit: 0, deadlineMilliseconds: 1 });
    await loader.load(new AbortController().signal);
    await host.close();
    log('info', 'the self-test has passed', { seconds: loader.status.seconds });
    return 0;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    process.stderr.write(`self-test: ${reason.replace(/\s+/g, ' ')}\n`);
    return 1;
  }
}
