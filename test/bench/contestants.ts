import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import type { RgbImage } from '../../lib/image/rgb-image.js';
import { openBundle } from '../../lib/pipeline/bundle.js';
import { loadTextToImage } from '../../lib/pipeline/load-text-to-image.js';
import type { TextToImage } from '../../lib/pipeline/text-to-image.js';
import { SessionHost } from '../../lib/runtime/session-host.js';
import type { LoadOptions } from '../../lib/runtime/session-messages.js';
import type { Decoder } from '../../lib/schemas/request.js';

const PROMPT = 'A tree in a field under the night sky';

export const PHASES = ['text_encoder', 'unet', 'decoder', 'total'] as const;
/** Milliseconds of one picture, all steps; `total` is from prompt to pixels. */
export type Times = Readonly<Record<(typeof PHASES)[number], number>>;

/** Something that draws the same picture as the others, in its turn. */
export interface Contestant {
  readonly name: string;
  readonly decoder: Decoder;
  /** @param out a PNG to write, where it does not answer with the picture itself */
  draw(seed: number, out: string): Promise<{ times: Times; image?: RgbImage }>;
}

/** A bundle that this project's pipeline runs; its graphs may be another exporter's. */
export class OpenPipeline {
  readonly #host: SessionHost;
  readonly #pipeline: TextToImage;
  readonly #steps: number;

  private constructor(host: SessionHost, pipeline: TextToImage, steps: number) {
    this.#host = host;
    this.#pipeline = pipeline;
    this.#steps = steps;
  }

  /** Needs the compiled sources: `npm run build`. */
  static async open(bundle: string, steps: number, options: LoadOptions): Promise<OpenPipeline> {
    const host = new SessionHost(pathToFileURL('dist/lib/runtime/session-worker.js'));
    const pipeline = await loadTextToImage(await openBundle(bundle), host, options);
    return new OpenPipeline(host, pipeline, steps);
  }

  /** One for each decoder, each after a picture that does not count. */
  async contestants(name: string): Promise<Contestant[]> {
    const found = this.#pipeline.decoders.map((decoder) => ({
      name,
      decoder,
      draw: (seed: number) => this.#draw(seed, decoder),
    }));
    for (const contestant of found) await contestant.draw(0);
    return found;
  }

  close(): Promise<void> {
    return this.#host.close();
  }

  async #draw(seed: number, decoder: Decoder): Promise<{ times: Times; image: RgbImage }> {
    const started = performance.now();
    const { images, milliseconds } = await this.#pipeline.run({
      prompt: PROMPT,
      steps: this.#steps,
      seed,
      images: 1,
      decoder,
    });
    return {
      times: { ...milliseconds, total: performance.now() - started },
      image: images[0] as RgbImage,
    };
  }
}

interface TheirTimes {
  readonly text_encoder_ms: number;
  readonly unet_step_ms: readonly number[];
  readonly decoder_ms: number;
  readonly total_ms: number;
}

/** A Python process that draws one picture for each line it reads: `diffusers_bench.py` and `sdcpp_bench.py`. */
export class PythonContestant implements Contestant {
  readonly name: string;
  readonly decoder: Decoder;
  /** What it says of itself: versions, threads, precision. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;

  private constructor(
    name: string,
    child: ChildProcess,
    answers: AsyncIterator<string>,
    settings: Readonly<Record<string, unknown>>,
  ) {
    this.name = name;
    this.#child = child;
    this.#answers = answers;
    this.settings = settings;
    this.decoder = settings['decoder'] as Decoder;
  }

  /** Ready when it has loaded and drawn a picture that does not count. */
  static async start(name: string, command: readonly string[]): Promise<PythonContestant> {
    const [program, ...args] = command as [string, ...string[]];
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    let errors = '';
    child.stderr.on('data', (text) => {
      errors = `${errors}${text}`.slice(-2000);
    });
    child.on('error', (error) => {
      errors = error.message;
    });
    const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const { value, done } = await answers.next();
    if (done) throw new Error(`${command.join(' ')} ended: ${errors.trim().split('\n').at(-1)}`);
    return new PythonContestant(name, child, answers, JSON.parse(value));
  }

  async draw(seed: number, out: string): Promise<{ times: Times }> {
    this.#child.stdin?.write(`${JSON.stringify({ prompt: PROMPT, seed, out })}\n`);
    const { value, done } = await this.#answers.next();
    if (done) throw new Error(`${this.name} ended`);
    const { text_encoder_ms, unet_step_ms, decoder_ms, total_ms } = JSON.parse(value) as TheirTimes;
    const unet = unet_step_ms.reduce((sum, time) => sum + time, 0);
    return { times: { text_encoder: text_encoder_ms, unet, decoder: decoder_ms, total: total_ms } };
  }

  async close(): Promise<void> {
    this.#child.stdin?.end();
    if (this.#child.exitCode === null) await new Promise((resolve) => this.#child.once('exit', resolve));
  }
}
