import { AppError } from '../errors/app-error.js';
import type { Manifest } from '../schemas/manifest.js';
import { SELF_TEST_NAME } from '../schemas/self-test.js';
import { MANIFEST_NAME, parseManifest } from '../weights/bundle/read-manifest.js';
import { lacksPicture, MAX_SELF_TEST_BYTES, mergeSelfTest } from '../weights/bundle/self-test-record.js';
import type { CheckpointReader } from '../weights/checkpoint/checkpoint-reader.js';
import type { GraphOptions } from './build-graphs.js';
import type { BundlePlan } from './bundle-plan.js';

/** 4 MiB, as for a download. */
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

/** Whether the source is a finished bundle already. */
export async function isBundle(reader: CheckpointReader): Promise<boolean> {
  return (await reader.list('')).has(MANIFEST_NAME);
}

/**
 * The files of a finished bundle, with the sums that its manifest has for them.
 *
 * @param wanted what its graphs must be, where that matters
 * @throws AppError INVALID_FILE for the manifest, INVALID_INPUT when its graphs are others
 */
export async function planCopy(reader: CheckpointReader, wanted: Partial<GraphOptions>): Promise<BundlePlan> {
  const name = reader.nameOf(MANIFEST_NAME);
  const own = parseManifest(await reader.readSmall(MANIFEST_NAME, MAX_MANIFEST_BYTES), name);
  const manifest = lacksPicture(own) ? await withRecord(own, reader) : own;
  const { version, dialect, precision, source, self_test, files } = manifest;
  for (const [key, has] of Object.entries({ dialect, precision })) {
    const asked = wanted[key as keyof GraphOptions];
    if (asked !== undefined && asked !== has)
      throw new AppError('INVALID_INPUT', `${name} is a finished bundle of ${key} ${has}, not ${asked}`);
  }
  const entries = files.map(({ path, size, sha256, crc32 }) => ({
    path,
    size,
    reader,
    from: path,
    digest: { algorithm: 'sha256' as const, hex: sha256 },
    crc32,
  }));
  const about = { version, dialect, precision, source, ...(self_test && { self_test }) };
  return { entries, about };
}

/** With the picture that is recorded beside the manifest. */
async function withRecord(manifest: Manifest, reader: CheckpointReader): Promise<Manifest> {
  if (!(await reader.list('')).has(SELF_TEST_NAME)) return manifest;
  const bytes = await reader.readSmall(SELF_TEST_NAME, MAX_SELF_TEST_BYTES);
  return mergeSelfTest(manifest, bytes, reader.nameOf(SELF_TEST_NAME));
}
