import { AppError } from '../../errors/app-error.js';
import { type Manifest, manifestSchema } from '../../schemas/manifest.js';
import { SELF_TEST_NAME } from '../../schemas/self-test.js';
import { parseJson } from '../bytes/parse-json.js';
import { DEFAULT_TRANSFER_POLICY, type TransferPolicy, transfer } from '../bytes/transfer.js';
import type { ByteSource } from '../sources/byte-source.js';

export const MANIFEST_NAME = 'manifest.json';

/** 4 MiB: a chunk takes about 12 bytes, so this is enough for 5 TB of weights. */
export const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

/**
 * The manifest of the bundle at `source`.
 *
 * @throws AppError NOT_FOUND when there is no (complete) bundle; INVALID_FILE, which names the first field that
 * is wrong; whatever else the source throws after the last attempt
 */
export async function readManifest(
  source: ByteSource,
  policy: Partial<TransferPolicy> = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<Manifest> {
  const name = `${source.description}/${MANIFEST_NAME}`;
  const bytes = await transfer(name, { ...DEFAULT_TRANSFER_POLICY, ...policy }, signal, (attemptSignal) =>
    source.readSmall(MANIFEST_NAME, MAX_MANIFEST_BYTES, attemptSignal),
  );
  return parseManifest(bytes, name);
}

/** @param name of the file, for messages */
export function parseManifest(bytes: Uint8Array, name: string): Manifest {
  const { data, error } = manifestSchema.safeParse(parseJson(bytes, name));
  if (error) {
    const issue = error.issues[0];
    const field = issue?.path.join('.') || 'the document';
    throw new AppError('INVALID_FILE', `${name}: ${field}: ${issue?.message}`, { cause: error });
  }
  refuseClashes(data, name);
  return data;
}

/** Whether these are the bytes of a bundle's manifest, whatever else is wrong with it. */
export function isManifest(bytes: Uint8Array): boolean {
  try {
    const { format } = Object(parseJson(bytes, MANIFEST_NAME));
    return format === manifestSchema.shape.format.value;
  } catch {
    return false;
  }
}

/** Two files must not meet on a disk, also not on one that ignores case. */
function refuseClashes(manifest: Manifest, name: string): void {
  const taken = new Set([MANIFEST_NAME, SELF_TEST_NAME]);
  for (const [index, { path }] of manifest.files.entries()) {
    const key = path.toLowerCase();
    if (taken.has(key)) throw new AppError('INVALID_FILE', `${name}: files.${index}.path: ${path} is taken`);
    taken.add(key);
  }
}
