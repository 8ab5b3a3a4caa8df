import { log } from '../shared/log.js';
import { type ModelConfig, readModelConfig } from './config.js';
import { endpointParts } from './endpoint-parts.js';

/**
 * `server.mjs self-test`: loads the model as the server does, which ends with a known picture that is drawn and looked at.
 * Whether a new machine can draw is known before anybody asks it to.
 *
 * @returns the exit status; where it is not 0, the last line of stderr says why
 */
export async function selfTest(): Promise<number> {
  let config: ModelConfig | undefined;
  try {
    config = readModelConfig();
    const { loader, host } = await endpointParts({ config, queueLimit: 0, deadlineMilliseconds: 1 });
    await loader.load(new AbortController().signal);
    await host.close();
    log('info', 'the self-test has passed', { seconds: loader.status.seconds });
    return 0;
  } catch (error) {
    process.stderr.write(`${inShort(error, config)}\n`);
    return 1;
  }
}

/** Files by their names in the bundle: of all this CloudFormation shows some fifty characters (machine/first-boot.sh). */
function inShort(error: unknown, config: ModelConfig | undefined): string {
  const said = (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ');
  const places = config ? [config.modelUri, config.modelDirectory] : [];
  return places.reduce((text, place) => text.replaceAll(`${place.replace(/\/$/, '')}/`, ''), said);
}
