import type { GenerateProgress } from '../../client/client.js';
import { ClientError } from '../../client/client-error.js';
import { createClient } from '../../client/create-client.js';
import { AppError } from '../../errors/app-error.js';
import type { Progress } from '../progress.js';
import { untilStopped } from '../until-stopped.js';
import type { Drawing, DrawProps } from './drawing.js';
import { fitPicture } from './fit-picture.js';
import { writeOutput } from './write-output.js';

export interface Service {
  readonly url: string;
  readonly apiKey: string;
  /** How long to wait for the pictures. Milliseconds. @default the client's own patience */
  readonly timeoutMs?: number;
}

/** Draws on a service, however long it takes to wake. */
export async function drawRemotely(props: DrawProps, service: Service, progress: Progress): Promise<Drawing> {
  const { request, outputs } = props;
  const { num_steps: steps, num_images: numImages, output_format: format, image, ...others } = request;
  const fitting = image && (await shrink(image, progress));
  const input = { ...others, steps, numImages, format, image: fitting };
  const started = performance.now();
  const onProgress = (state: GenerateProgress) => progress.say(describe(state));
  const drawn = await untilStopped(async (signal) =>
    createClient(service).generate(input, { signal, onProgress, timeoutMs: service.timeoutMs }),
  ).catch((error) => {
    throw error instanceof ClientError
      ? new AppError('UNAVAILABLE', `${service.url}: ${error.message}`, { cause: error })
      : error;
  });
  if (drawn.images.length !== outputs.length) {
    throw new AppError(
      'UNAVAILABLE',
      `${service.url}: sent ${drawn.images.length} of ${outputs.length} pictures`,
    );
  }
  for (const [index, output] of outputs.entries()) {
    await writeOutput(output, drawn.images[index] as Uint8Array);
  }
  return {
    seed: drawn.seed,
    num_steps: drawn.steps,
    decoder: drawn.decoder,
    model: drawn.model,
    files: outputs.map(({ name }) => name),
    tokens_cut: drawn.tokensCut,
    ...(drawn.warnings && { warnings: drawn.warnings }),
    // The service's own total is the last of its timings; ours has the way there in it.
    milliseconds: { ...drawn.timings, total: performance.now() - started },
  };
}

async function shrink(image: Uint8Array, progress: Progress): Promise<Uint8Array> {
  const fitting = await fitPicture(image);
  if (fitting !== image) progress.say('--image is larger than a service takes: a smaller copy is sent');
  return fitting;
}

function describe({ phase, seconds, reason, health }: GenerateProgress): string {
  const since = `${Math.round(seconds)} s`;
  switch (phase) {
    case 'sending':
      return 'asking the service';
    case 'retrying':
      return `${reason}: asking again (${since})`;
    case 'waking': {
      const left = health?.estimate === undefined ? '' : `: about ${Math.ceil(health.estimate)} s to go`;
      return `the endpoint is waking${left} (${since})`;
    }
    case 'drawing':
      return `the picture is being drawn (${since})`;
    default:
      return `queued, the endpoint is ${health?.state ?? 'out of sight'} (${since})`;
  }
}
