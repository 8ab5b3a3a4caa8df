import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError, type ErrorCode } from '../../errors/app-error.js';
import { type ImportContext, type ImportOptions, importCheckpoint } from '../../export/import-checkpoint.js';
import type { Manifest } from '../../schemas/manifest.js';
import { MANIFEST_NAME } from '../../weights/bundle/read-manifest.js';
import { BUNDLE_KINDS, parsePlace, SOURCE_KINDS } from '../../weights/sources/place.js';
import type { Progress } from '../progress.js';
import { drawSelfTest, recordSelfTest } from './record-self-test.js';

export interface ImportWithSelfTestOptions extends Omit<ImportOptions, 'selfTest'> {
  /** Whether a picture is to be drawn where that can be done. */
  readonly selfTest: boolean;
}

/** An import goes on without the picture where this machine has no room or no strength for it. */
const PASSED_OVER: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['UNAVAILABLE', 'INTERNAL']);

/**
 * Imports, and has the manifest say what the picture looks like that every start of the model begins with. It is drawn
 * in float32 on the CPU: with the new bundle where that is one for it, else with another of the same checkpoint, which
 * has to lie on this machine.
 *
 * @throws AppError as `importCheckpoint`, and BAD_NUMBERS where the model draws no picture
 */
export async function importWithSelfTest(
  options: ImportWithSelfTestOptions,
  context: ImportContext,
  progress: Progress,
): Promise<void> {
  const { selfTest: wanted, ...rest } = options;
  const [from, to] = [parsePlace(options.from, SOURCE_KINDS).kind, parsePlace(options.to, BUNDLE_KINDS).kind];
  const { dialect = 'standard', precision = 'float32' } = options;
  const drawsItself = dialect === 'standard' && precision === 'float32' && to === 'directory';
  const isBundle = existsSync(join(options.from, MANIFEST_NAME));
  const isContradiction = dialect === 'cuda' && options.precision === 'float32';
  const drawsElsewhere = wanted && !drawsItself && from === 'directory' && !isBundle && !isContradiction;
  const drawn = drawsElsewhere
    ? await patiently(() => drawElsewhere(rest, context, progress), progress)
    : undefined;
  const manifest = await importCheckpoint({ ...rest, ...(drawn && { selfTest: drawn }) }, context);
  if (!wanted || manifest.self_test) return;
  // A copy can be another bundle than was asked for.
  if (!drawsItself || manifest.dialect !== 'standard' || manifest.precision !== 'float32') {
    progress.say('no picture for the self-test is recorded: --from a directory it would be');
    return;
  }
  progress.say(DRAWING);
  await patiently(() => recordSelfTest(options.to), progress);
}

const DRAWING = 'drawing the picture of the self-test';

async function drawElsewhere(
  { from, taesd, revision }: Omit<ImportOptions, 'selfTest'>,
  context: ImportContext,
  progress: Progress,
): Promise<NonNullable<Manifest['self_test']>> {
  const scratch = await mkdtemp(join(tmpdir(), 'sd-turbo-self-test-'));
  try {
    const to = join(scratch, 'bundle');
    const manifest = await importCheckpoint({ from, to, taesd, revision }, context);
    progress.say(DRAWING);
    return await drawSelfTest(to, manifest);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function patiently<T>(draw: () => Promise<T>, progress: Progress): Promise<T | undefined> {
  try {
    return await draw();
  } catch (error) {
    if (!(error instanceof AppError) || !PASSED_OVER.has(error.code)) throw error;
    progress.say(`no picture for the self-test is recorded: ${error.message}`);
    return undefined;
  }
}
