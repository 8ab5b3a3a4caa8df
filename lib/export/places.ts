import type { BundleSink } from '../weights/bundle/bundle-sink.js';
import { DirectorySink } from '../weights/bundle/directory-sink.js';
import type { TransferPolicy } from '../weights/bytes/transfer.js';
import { CheckpointReader } from '../weights/checkpoint/checkpoint-reader.js';
import { DirectoryCheckpoint } from '../weights/checkpoint/directory-checkpoint.js';
import { assertDirectory } from '../weights/sources/assert-directory.js';
import { type HubAccess, HubClient } from '../weights/sources/hub/hub-client.js';
import type { BundlePlace, Place } from '../weights/sources/place.js';
import type { createS3WriteClient } from '../weights/sources/s3/s3-write-client.js';

export type S3Client = ReturnType<typeof createS3WriteClient>;

export interface PlacesProps {
  /** Stays its owner's. @default one that is made when it is needed, as the AWS SDK finds region and credentials */
  readonly s3?: S3Client | undefined;
  /** @default huggingface.co, without a token */
  readonly hub?: HubAccess | undefined;
  /** @default DEFAULT_TRANSFER_POLICY, member by member */
  readonly policy?: Partial<TransferPolicy> | undefined;
  readonly signal: AbortSignal;
}

/** Opens places, with one client of each kind for all of them. What a kind needs is loaded when there is one. */
export class Places {
  readonly #props: PlacesProps;
  #s3: Promise<S3Client> | undefined;
  #hub: HubClient | undefined;

  constructor(props: PlacesProps) {
    this.#props = props;
  }

  /** @throws AppError when it is not there, or access is refused */
  async openReader(place: Place): Promise<CheckpointReader> {
    const { policy = {}, signal } = this.#props;
    if (place.kind === 'directory') {
      await assertDirectory(place.path);
      // What a disk refuses once it refuses again.
      return new CheckpointReader(new DirectoryCheckpoint(place.path), { ...policy, retries: 0 }, signal);
    }
    if (place.kind === 's3') {
      const { S3Checkpoint } = await import('../weights/checkpoint/s3-checkpoint.js');
      return new CheckpointReader(new S3Checkpoint(await this.#s3Client(), place.location), policy, signal);
    }
    const { openHubCheckpoint } = await import('../weights/checkpoint/open-hub-checkpoint.js');
    this.#hub ??= new HubClient(this.#props.hub);
    return new CheckpointReader(
      await openHubCheckpoint(place.location, this.#hub, policy, signal),
      policy,
      signal,
    );
  }

  async openSink(place: BundlePlace): Promise<BundleSink> {
    const { policy, signal } = this.#props;
    if (place.kind === 'directory') return new DirectorySink(place.path);
    const { S3BundleSink } = await import('../weights/bundle/s3-bundle-sink.js');
    return new S3BundleSink({ client: await this.#s3Client(), location: place.location, policy, signal });
  }

  async close(): Promise<void> {
    if (this.#props.s3) return;
    (await this.#s3?.catch(() => undefined))?.destroy();
  }

  #s3Client(): Promise<S3Client> {
    this.#s3 ??= this.#openS3();
    return this.#s3;
  }

  async #openS3(): Promise<S3Client> {
    const { assertS3Ready } = await import('../weights/sources/s3/s3-ready.js');
    const { createS3WriteClient } = await import('../weights/sources/s3/s3-write-client.js');
    const client = this.#props.s3 ?? createS3WriteClient();
    await assertS3Ready(client);
    return client;
  }
}
