import { createHash } from 'node:crypto';
import { AppError } from '../../errors/app-error.js';
import type { Manifest } from '../../schemas/manifest.js';
import {
  SELF_TEST_NAME,
  type SelfTest,
  type SelfTestRecord,
  selfTestRecordSchema,
} from '../../schemas/self-test.js';
import { parseJson } from '../bytes/parse-json.js';
import { DEFAULT_TRANSFER_POLICY, type TransferPolicy, transfer } from '../bytes/transfer.js';
import type { ByteSource } from '../sources/byte-source.js';

/** Two decoders take 1 kB. */
export const MAX_SELF_TEST_BYTES = 16 * 1024;

const DECODER_GRAPH = /_decoder\/model\.onnx$/;

/** SHA-256 of what makes a bundle draw as it does, whatever order its manifest has it in. */
export function bundleIdentity({ version, dialect, precision, files }: Manifest): string {
  const sums = files.map(({ path, sha256 }) => `${sha256} ${path}`).sort();
  return createHash('sha256')
    .update(JSON.stringify([version, dialect, precision, ...sums]))
    .digest('hex');
}

export function selfTestText(identity: string, pictures: SelfTest): string {
  const record: SelfTestRecord = {
    format: 'sd-turbo-self-test',
    version: 1,
    bundle: identity,
    self_test: pictures,
  };
  return `${JSON.stringify(record, undefined, 1)}\n`;
}

/**
 * A manifest with the pictures that are recorded beside it, where it has none of its own.
 *
 * @throws AppError INVALID_FILE, which names the record; whatever else the source throws after the last attempt
 */
export async function withSelfTest(
  manifest: Manifest,
  source: ByteSource,
  policy: Partial<TransferPolicy> = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<Manifest> {
  if (!lacksPicture(manifest)) return manifest;
  const name = `${source.description}/${SELF_TEST_NAME}`;
  const bytes = await transfer(name, { ...DEFAULT_TRANSFER_POLICY, ...policy }, signal, (attemptSignal) =>
    source.readSmall(SELF_TEST_NAME, MAX_SELF_TEST_BYTES, attemptSignal),
  ).catch((error) => {
    if (isAbsent(error)) return undefined;
    throw error;
  });
  return bytes ? mergeSelfTest(manifest, bytes, name) : manifest;
}

/** Whether a bundle has a decoder whose picture its manifest does not know. */
export function lacksPicture({ files, self_test = {} }: Manifest): boolean {
  return Object.keys(self_test).length < files.filter(({ path }) => DECODER_GRAPH.test(path)).length;
}

/**
 * A manifest with the pictures of a record, unless that is of another bundle.
 *
 * @param name of the record, for messages
 * @throws AppError INVALID_FILE
 */
export function mergeSelfTest(manifest: Manifest, bytes: Uint8Array, name: string): Manifest {
  const { data, error } = selfTestRecordSchema.safeParse(parseJson(bytes, name));
  if (error) {
    const issue = error.issues[0];
    const field = issue?.path.join('.') || 'the document';
    const advice = 'delete it, and the next start of the endpoint writes it anew';
    throw new AppError('INVALID_FILE', `${name}: ${field}: ${issue?.message}: ${advice}`, { cause: error });
  }
  if (data.bundle !== bundleIdentity(manifest)) return manifest;
  return { ...manifest, self_test: { ...data.self_test, ...manifest.self_test } };
}

/** Who may not list a bucket is refused what is not there. */
function isAbsent(error: unknown): boolean {
  if (!(error instanceof AppError)) return false;
  return error.code === 'NOT_FOUND' || (error.code === 'UNAVAILABLE' && !error.retryable);
}
