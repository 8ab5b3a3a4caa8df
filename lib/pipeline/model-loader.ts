import { setTimeout as pause } from 'node:timers/promises';
import { AppError } from '../errors/app-error.js';
import type { Exactness } from '../runtime/attention-kernels.js';
import type { SessionHost } from '../runtime/session-host.js';
import type { Provider } from '../runtime/session-messages.js';
import type { EndpointState, EndpointStatus } from '../schemas/endpoint-status.js';
import type { Manifest } from '../schemas/manifest.js';
import { aboutModel, type ModelAbout } from '../schemas/model-about.js';
import { firstWords } from '../schemas/model-card.js';
import { SELF_TEST_NAME, type SelfTest } from '../schemas/self-test.js';
import { readManifest } from '../weights/bundle/read-manifest.js';
import { selfTestText, withSelfTest } from '../weights/bundle/self-test-record.js';
import type { WriteSelfTest } from '../weights/bundle/write-self-test.js';
import { type Download, startDownload } from '../weights/download/download-bundle.js';
import type { ByteSource } from '../weights/sources/byte-source.js';
import {
  aboutBundle,
  assertRunsOn,
  type Bundle,
  type NetworkName,
  networkFolder,
  openBundle,
} from './bundle.js';
import { loadTextToImage } from './load-text-to-image.js';
import type { TextToImage } from './text-to-image.js';
import { warmUp } from './warm-up.js';

/** Configs and graphs are smaller, weights larger: the small files come first, since every session needs some. */
const SMALL_FILE_BYTES = 8 * 1024 * 1024;
/** Loading is tried this often before it counts as failed; the download retries each request by itself. */
const ATTEMPTS = 3;
const PAUSE_MS = 2_000;

export interface ModelLoaderProps {
  /** Undefined when the bundle lies in `directory` already. */
  readonly source: ByteSource | undefined;
  /** Where the bundle comes to lie; what is there already and right is not fetched again. */
  readonly directory: string;
  /** The compiled `fetch-worker` module: see `DownloadThreads`. @default no threads */
  readonly fetchWorker?: URL | undefined;
  readonly host: SessionHost;
  readonly provider: Provider;
  /** Pictures that one run of the UNet may draw for several requests. @default 1 */
  readonly maxBatchSize?: number | undefined;
  /**
   * Lets sessions be loaded that compute more exactly: what the self-test is tried with when it has failed, and what a
   * first picture is compared with. @default there is no other way
   */
  readonly exactness?: Exactness | undefined;
  /** Records the picture of a bundle that has none. @default nobody does */
  readonly writeSelfTest?: WriteSelfTest | undefined;
  /** Told of what did not keep the model from being loaded. @default nobody */
  readonly onTrouble?: (what: string, error: unknown) => void;
  /** Told about every change of state. @default nobody */
  readonly onState?: (status: EndpointStatus) => void;
}

/** A pipeline that may draw. */
interface Warm {
  readonly pipeline: TextToImage;
  /** What its first picture looks like, where nobody knew that before. */
  readonly picture?: SelfTest | undefined;
}

/**
 * Brings a bundle from its source to ready sessions, once: each network is loaded as soon as its own files are
 * there, while the others are still on their way.
 */
export class ModelLoader {
  readonly #props: ModelLoaderProps;
  readonly #seconds: Record<string, number> = {};
  #state: EndpointState = 'starting';
  #error: string | undefined;
  #about: ModelAbout = {};
  #bytes = { done: 0, total: 0 };
  #pipeline: TextToImage | undefined;

  constructor(props: ModelLoaderProps) {
    this.#props = props;
  }

  /** The loaded model, or undefined while there is none. */
  get pipeline(): TextToImage | undefined {
    return this.#pipeline;
  }

  get status(): EndpointStatus {
    return {
      state: this.#state,
      bytes_done: this.#bytes.done,
      bytes_total: this.#bytes.total,
      provider: this.#props.provider,
      model: null,
      ...this.#about,
      ...(this.#error === undefined ? {} : { error: this.#error }),
      seconds: { ...this.#seconds },
    };
  }

  /**
   * Loads the model. Call it once.
   *
   * @throws AppError the last failure; when it is not `retryable`, no later attempt can succeed
   */
  async load(signal: AbortSignal): Promise<TextToImage> {
    for (let attempt = 1; ; attempt++) {
      try {
        const { pipeline, picture } = await this.#attempt(signal);
        // Not before: the warm-up runs the text encoder more than once, with one prompt.
        pipeline.keepTexts();
        this.#pipeline = pipeline;
        this.#enter('ready');
        // Nobody waits for it.
        if (picture) void this.#record(pipeline.bundle, picture);
        return pipeline;
      } catch (error) {
        signal.throwIfAborted();
        const retryable = error instanceof AppError && error.retryable && attempt < ATTEMPTS;
        this.#error = error instanceof Error ? error.message : String(error);
        if (!retryable) this.#enter('failed');
        if (!retryable) throw error;
        await pause(PAUSE_MS * attempt, undefined, { signal });
      }
    }
  }

  /** What was loaded can draw nothing any more. */
  fail(reason: unknown): void {
    this.#pipeline = undefined;
    this.#error = reason instanceof Error ? reason.message : String(reason);
    this.#enter('failed');
  }

  async #attempt(signal: AbortSignal): Promise<Warm> {
    const { source, directory } = this.#props;
    const pipeline = source
      ? await this.#loadFrom(source, signal)
      : await this.#loadNetworks(await openBundle(directory), async () => {});
    return isUnseen(pipeline.bundle) ? this.#meet(pipeline) : { pipeline: await this.#warmUp(pipeline) };
  }

  /**
   * The first start with a bundle whose picture nobody has drawn. What has been loaded computes as exactly as can be:
   * what it draws is what to compare others with, those first that compute as usual.
   */
  async #meet(pipeline: TextToImage): Promise<Warm> {
    const { exactness } = this.#props;
    this.#enter('warming');
    if (!exactness) return { pipeline, picture: await warmUp(pipeline) };
    const picture = await this.#drawFirst(pipeline);
    exactness.useUsual();
    const bundle = { ...pipeline.bundle, selfTest: { ...picture, ...pipeline.bundle.selfTest } };
    const usual = await this.#loadAnew(bundle);
    const warm = await this.#warmUp(usual);
    // Two ways to compute that agree.
    return { pipeline: warm, ...(warm === usual && { picture }) };
  }

  /** @returns undefined where the machine has no strength for it */
  async #drawFirst(pipeline: TextToImage): Promise<SelfTest | undefined> {
    try {
      return await warmUp(pipeline);
    } catch (error) {
      if (isBadNumbers(error)) throw error;
      this.#props.onTrouble?.('there is no picture to compare the self-test with', error);
      return undefined;
    }
  }

  /** Ends with a pipeline that draws what it should: this one, or one of sessions that were loaded anew. */
  async #warmUp(pipeline: TextToImage): Promise<TextToImage> {
    const { exactness, onTrouble } = this.#props;
    this.#enter('warming');
    try {
      await warmUp(pipeline);
      return pipeline;
    } catch (error) {
      if (!exactness || !isBadNumbers(error)) throw error;
      onTrouble?.('the self-test failed, attention is computed in float32 from now on', error);
    }
    exactness.useSafer();
    const safer = await this.#loadAnew(pipeline.bundle);
    this.#enter('warming');
    await warmUp(safer);
    return safer;
  }

  #loadAnew(bundle: Bundle): Promise<TextToImage> {
    this.#enter('loading');
    return this.#loadInto(bundle);
  }

  async #record({ identity }: Bundle, picture: SelfTest): Promise<void> {
    const { writeSelfTest, onTrouble } = this.#props;
    if (!writeSelfTest || identity === undefined) return;
    try {
      if (await writeSelfTest(selfTestText(identity, picture))) return;
      const reason = `of another copy of this endpoint, or of an older bundle: then delete it`;
      onTrouble?.(
        'the picture of the self-test is not recorded',
        new Error(`${SELF_TEST_NAME} is there already, ${reason}`),
      );
    } catch (error) {
      onTrouble?.(
        'the picture of the self-test cannot be recorded, and is drawn again at the next start',
        error,
      );
    }
  }

  /** Downloads and loads at the same time. */
  async #loadFrom(source: ByteSource, signal: AbortSignal): Promise<TextToImage> {
    const { directory, provider, fetchWorker } = this.#props;
    const own = await readManifest(source, {}, signal);
    const manifest = smallFilesFirst(await withSelfTest(own, source, {}, signal));
    const about = aboutBundle(manifest);
    // Before anything large is fetched for nothing.
    assertRunsOn(provider, about);
    this.#enter('downloading');
    const stop = new AbortController();
    const download = startDownload({
      source,
      manifest,
      directory,
      ...(fetchWorker && { threads: { entry: fetchWorker } }),
      signal: AbortSignal.any([signal, stop.signal]),
      onProgress: (done, total) => {
        this.#bytes = { done, total };
      },
    });
    try {
      await waitForFiles(download, manifest, (file) => file.size < SMALL_FILE_BYTES);
      const bundle = { ...(await openBundle(directory)), ...about };
      const arrived = download.done.then(() => this.#enter('loading'));
      // Awaited below, after what may fail before it.
      arrived.catch(() => undefined);
      const pipeline = await this.#loadNetworks(bundle, (network) =>
        waitForFiles(download, manifest, (file) => file.path.startsWith(`${networkFolder(network)}/`)),
      );
      await arrived;
      return pipeline;
    } catch (error) {
      stop.abort(error);
      await download.done.catch(() => undefined);
      throw error;
    }
  }

  async #loadNetworks(
    bundle: Bundle,
    whenThere: (network: NetworkName) => Promise<void>,
  ): Promise<TextToImage> {
    const { exactness } = this.#props;
    this.#about = describeBundle(bundle);
    // After an attempt that failed anything may be set.
    if (isUnseen(bundle)) exactness?.useSafer();
    else exactness?.useUsual();
    if (!this.#props.source) this.#enter('loading');
    return this.#loadInto(bundle, whenThere);
  }

  #loadInto(bundle: Bundle, whenThere?: (network: NetworkName) => Promise<void>): Promise<TextToImage> {
    const { host, provider, maxBatchSize = 1, onTrouble } = this.#props;
    const props = { maxBatchSize, onTrouble, ...(whenThere && { whenThere }) };
    return loadTextToImage(bundle, host, { provider }, props);
  }

  #enter(state: EndpointState): void {
    const before = this.#state;
    if (before !== state) this.#seconds[before] = Math.round(process.uptime() * 1000) / 1000;
    this.#state = state;
    if (state === 'ready') this.#error = undefined;
    this.#props.onState?.(this.status);
  }
}

function describeBundle({ name, vocabulary, decoders, encoder, size }: Bundle): ModelAbout {
  return aboutModel({
    model: name,
    draws: vocabulary && firstWords(vocabulary),
    decoders: [...decoders.keys()],
    encoder: encoder !== undefined,
    size,
  });
}

/** Whether a picture of it can be recorded, and is not. */
function isUnseen({ identity, decoders, selfTest }: Bundle): boolean {
  return identity !== undefined && [...decoders.keys()].some((decoder) => !selfTest[decoder]);
}

function isBadNumbers(error: unknown): boolean {
  return error instanceof AppError && error.code === 'BAD_NUMBERS';
}

function smallFilesFirst(manifest: Manifest): Manifest {
  const small = manifest.files.filter((file) => file.size < SMALL_FILE_BYTES);
  const large = manifest.files.filter((file) => file.size >= SMALL_FILE_BYTES);
  return { ...manifest, files: [...small, ...large] };
}

async function waitForFiles(
  download: Download,
  manifest: Manifest,
  wanted: (file: Manifest['files'][number]) => boolean,
): Promise<void> {
  await Promise.all(manifest.files.filter(wanted).map(({ path }) => download.file(path)));
}
