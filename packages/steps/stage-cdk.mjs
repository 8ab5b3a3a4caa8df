import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { bundleLambda } from '../../functions/bundle-lambda.mjs';
import { ROOT } from './root.mjs';
import { PLACES_ONLY, stageImage } from './stage-image.mjs';

/** What is written onto an instance. */
const MACHINE = 'infra/backends/ec2/machine';

/**
 * The construct, and what it deploys: bundles of the functions, the image's build context, an instance's scripts. All of
 * it is found by `infra/assets.ts`.
 *
 * @param {string} stage
 * @param {readonly string[]} modules of `infra`
 */
export async function stageCdk(stage, modules) {
  const dist = join(stage, 'dist');
  await build({
    absWorkingDir: ROOT,
    entryPoints: [...modules],
    outdir: dist,
    outbase: '.',
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'error',
  });
  await bundleLambda(join(dist, 'lambda'), PLACES_ONLY);
  await stageImage(join(dist, 'image'));
  await cp(join(ROOT, MACHINE), join(dist, MACHINE), { recursive: true });
}
