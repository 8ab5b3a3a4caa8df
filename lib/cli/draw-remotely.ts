import { ClientError } from '../client/client-error.js';
import type { GenerateProgress } from '../client/client-props.js';
import { createClient } from '../client/create-client.js';
import { AppError } from '../errors/app-error.js';
import type { Drawing, DrawProps } from './drawing.js';
import { writeOutput } from './output-files.js';
import type { Progress } from './progress.js';
import { untilStopped } from './until-stopped.js';

export interface Service {
  readonly url: string;
  readonly apiKey: string;
}

/** Draws on a service, however long it takes to wake. */
export async function drawRemotely(props: DrawProps, service: Service, progress: Progress): Promise<Drawing> {
  const { request, files } = props;
  const started = performance.now();
  const onProgress = (state: GenerateProgress) => progress.say(describe(state));
  const drawn = await untilStopped(async (signal) =>
    createClient(service).generate(request, { signal, onProgress }),
  ).catch((error) => {
    throw error instanceof ClientError
      ? new AppError('UNAVAILABLE', `${service.url}: ${error.message}`, { cause: error })
      : error;
  });
  if (drawn.images.length !== files.length) {
    throw new AppError(
      'UNAVAILABLE',
      `${service.url}: sent ${drawn.images.length} of ${files.length} pictures`,
    );
  }
  for (const [index, file] of files.entries()) await writeOutput(file, drawn.images[index] as Uint8Array);
  return {
    seed: drawn.seed,
    num_steps: drawn.steps,
    decoder: drawn.decoder,
    model: drawn.model,
    files,
    tokens_cut: drawn.tokensCut,
    // The service's own total is the last of its timings; ours has the way there in it.
    milliseconds: { ...drawn.timings, total: performance.now() - started },
  };
}

function describe({ phase, seconds, reason, health }: GenerateProgress): string {
  const since = `${Math.round(seconds)} s`;
  if (phase === 'sending') return 'asking the service';
  if (phase === 'retrying') return `${reason}: asking again (${since})`;
  if (health?.state === 'waking' && health.estimate !== undefined) {
    return `the endpoint is waking: about ${Math.ceil(health.estimate)} s to go (${since})`;
  }
  return `queued, the endpoint is ${health?.state ?? 'out of sight'} (${since})`;
}
