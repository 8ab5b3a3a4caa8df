import type { BundleAbout } from '../schemas/manifest.js';
import type { BundleEntry } from '../weights/bundle/bundle-entry.js';

/** What a bundle will consist of, before any weights have been read. */
export interface BundlePlan {
  /** In the order in which a cold start needs them. */
  readonly entries: readonly BundleEntry[];
  readonly about: BundleAbout;
}
