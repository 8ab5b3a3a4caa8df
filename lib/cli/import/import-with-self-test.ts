import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError, type ErrorCode } from '../../errors/app-error.js';
import {
  type ImportContext,
  type ImportOptions,
  importCheckpoint,
  type NewBundle,
} from '../../export/import-checkpoint.js';
import type { SelfTest } from '../../schemas/self-test.js';
import { BUNDLE_KINDS, parsePlace } from '../../weights/sources/place.js';
import type { Progress } from '../progress.js';
import { tellBytes } from '../tell-bytes.js';
import { assertMemory, drawSelfTest, recordSelfTest } from './record-self-test.js';

export interface ImportWithSelfTestOptions extends Omit<ImportOptions, 'selfTest'> {
  /** Whether a picture is to be drawn where that can be done. */
  readonly selfTest: boolean;
}

/** An import goes on without the picture where this machine has no room or no strength for it. */
const PASSED_OVER: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['UNAVAILABLE', 'INTERNAL']);
const DRAWING = 'drawing the picture of the self-test';
const ADVICE =
  'the first start of the endpoint draws and records one, or import again where there is room (--no-self-test says that it is not wanted)';

/**
 * Imports, and has the manifest say what the picture looks like that every start of the model begins with. It is drawn
 * in float32 on the CPU: with the new bundle where that is one for it and lies on this machine, else with another of the
 * same source, for which that is read once more.
 *
 * @throws AppError as `importCheckpoint`, and BAD_NUMBERS where the model draws no picture
 */
export async function importWithSelfTest(
  options: ImportWithSelfTestOptions,
  context: ImportContext,
  progress: Progress,
): Promise<void> {
  const { selfTest: wanted, ...rest } = options;
  const isHere = parsePlace(options.to, BUNDLE_KINDS).kind === 'directory';
  const drawsItself = ({ dialect, precision }: Pick<NewBundle, 'dialect' | 'precision'>) =>
    isHere && dialect === 'standard' && precision === 'float32';
  const selfTest = async (made: NewBundle) =>
    drawsItself(made)
      ? undefined
      : patiently(() => drawElsewhere(made, rest, context, progress), context, progress);
  const manifest = await importCheckpoint({ ...rest, ...(wanted && { selfTest }) }, context);
  if (!wanted || manifest.self_test || !drawsItself(manifest)) return;
  progress.say(DRAWING);
  await patiently(() => recordSelfTest(options.to, context.signal), context, progress);
}

/** With a bundle that can be drawn with here, in a folder that goes again. */
async function drawElsewhere(
  { isCopy, dialect, precision, files }: NewBundle,
  { from, taesd, revision }: ImportOptions,
  context: ImportContext,
  progress: Progress,
): Promise<SelfTest> {
  if (isCopy && (dialect !== 'standard' || precision !== 'float32')) {
    const reason = `only its checkpoint can be drawn with here, not a bundle of ${dialect} ${precision}`;
    throw new AppError('UNAVAILABLE', reason);
  }
  // Before anything is fetched in vain.
  assertMemory(files);
  const scratch = await mkdtemp(join(tmpdir(), 'sd-turbo-self-test-'));
  try {
    const to = join(scratch, 'bundle');
    const onProgress = tellBytes(progress, 'reading it again for the self-test');
    const manifest = await importCheckpoint({ from, to, taesd, revision, onProgress }, context);
    progress.say(DRAWING);
    return await drawSelfTest(to, manifest, context.signal);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function patiently<T>(
  draw: () => Promise<T>,
  { signal }: ImportContext,
  progress: Progress,
): Promise<T | undefined> {
  try {
    return await draw();
  } catch (error) {
    if (signal?.aborted || !(error instanceof AppError) || !PASSED_OVER.has(error.code)) throw error;
    progress.say(`no picture for the self-test is recorded: ${error.message}: ${ADVICE}`);
    return undefined;
  }
}
