import { toProblem } from '../../../functions/shared/problem-response.js';
import { encodeImage } from '../../../lib/image/encode-image.js';
import { resizeImage, tellResize } from '../../../lib/image/resize-image.js';
import {
  type EndpointAnswer,
  EndpointError,
  type EndpointFault,
  type EndpointState,
  type InvokeContext,
  type PushedEndpoint,
} from '../../../lib/predictions/endpoint.js';
import type { SeededRequest } from '../../../lib/schemas/prediction.js';
import { randomBytes } from '../graphs/random-bundle.js';

/** Pixels per side of the pictures. */
export const SCRIPTED_SIDE = 16;
const MAX_TOKENS = 75;

/** An endpoint that does what a test tells it: draws small noise, sleeps, wakes, and fails on demand. */
export class ScriptedEndpoint implements PushedEndpoint {
  /** Pictures made. */
  drawn = 0;
  /** Calls of `wake`. */
  wakes = 0;
  readonly #faults: (EndpointFault | EndpointError)[] = [];
  #asleep = false;
  /** Invocations that still find it cold. */
  #coldInvokes = 0;

  /** The next invocations fail, one each; `timeout` waits until the caller gives up. */
  failNext(...faults: (EndpointFault | EndpointError)[]): void {
    this.#faults.push(...faults);
  }

  /** Cold until it is woken, and for so many invocations after that. */
  sleep(coldInvokes = 1): void {
    this.#asleep = true;
    this.#coldInvokes = coldInvokes;
  }

  async invoke(request: SeededRequest, { requestId, signal }: InvokeContext): Promise<EndpointAnswer> {
    const fault = this.#isCold() ? 'cold' : this.#faults.shift();
    if (fault === 'timeout') await aborted(signal);
    if (fault) throw typeof fault === 'string' ? new EndpointError(fault, `scripted: ${fault}`) : fault;
    if (request.decoder === 'taesd') {
      const problem = {
        ...toProblem(undefined, requestId),
        status: 400,
        detail: 'decoder taesd is not here',
      };
      throw new EndpointError('refused', 'scripted', { problem });
    }
    this.drawn++;
    return { answer: await draw(request), timings: { queue: 0.5, unet: 1.5 } };
  }

  async wake(): Promise<void> {
    this.wakes++;
    this.#asleep = false;
  }

  async state(): Promise<EndpointState> {
    if (this.#asleep) return { state: 'asleep' };
    return { state: this.#coldInvokes > 0 ? 'waking' : 'ready' };
  }

  #isCold(): boolean {
    if (this.#asleep) return true;
    if (this.#coldInvokes === 0) return false;
    this.#coldInvokes--;
    return true;
  }
}

async function draw(request: SeededRequest) {
  const { prompt, seed, num_steps, num_images, output_format, decoder, image = '' } = request;
  const own = { width: SCRIPTED_SIDE, height: SCRIPTED_SIDE };
  const { size = own } = request;
  const resized = tellResize(own, size);
  const pictures = Array.from({ length: num_images }, async (_, index) => {
    const data = randomBytes(3 * SCRIPTED_SIDE ** 2, seed + index + image.length);
    return encodeImage(await resizeImage({ data, ...own }, size), output_format);
  });
  const results = (await Promise.all(pictures)).map((picture) => picture.toString('base64'));
  return {
    result: results[0] as string,
    ...(num_images > 1 ? { results } : {}),
    seed,
    num_steps,
    output_format,
    decoder,
    size,
    ...(resized !== undefined && { warnings: [resized] }),
    tokens_cut: Math.max(0, prompt.split(/\s+/).length - MAX_TOKENS),
    model: 'scripted',
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
