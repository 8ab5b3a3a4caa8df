import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FileSystem } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** Key in CDK's context: a folder of Lambda bundles that somebody has made already, for many syntheses of one build. */
export const BUNDLES_KEY = 'sd-turbo:bundles';
/** Sources whose change changes what is in a bundle. */
const EXPORTER = ['lib/export', 'lib/onnx'];

const MACHINE = 'infra/backends/ec2/machine';

/** What a deploy carries into the account, beside the template. */
export interface Assets {
  /** Directory with one folder for each function. */
  readonly bundles: string;
  /** The image's build context. */
  readonly imageContext: string;
  /** Directory of what an instance of EC2 runs around the image. */
  readonly machine: string;
  /** Fingerprints of the exporter: another one may make other bundles of the same weights. */
  readonly exporter: readonly string[];
}

/** Of a clone, whose functions are bundled here and now; of the published package, what was made when it was packed. */
export function assets(scope: IConstruct): Assets {
  const root = findRoot();
  const bundler = join(root, 'functions/bundle-lambda.mjs');
  const isClone = existsSync(bundler);
  const made = join(root, isClone ? 'dist/lambda' : 'lambda');
  const given = scope.node.tryGetContext(BUNDLES_KEY);
  if (isClone && given === undefined) bundle(bundler, made);
  return {
    bundles: given ?? made,
    imageContext: isClone ? root : join(root, 'image'),
    machine: join(root, MACHINE),
    exporter: EXPORTER.map((folder) => FileSystem.fingerprint(join(root, folder))),
  };
}

/** The nearest directory above this module that has `lib` and `infra` in full: of a clone the root, of the package `dist`. */
function findRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, MACHINE))) {
    const above = dirname(folder);
    if (above === folder)
      throw new Error(`neither a clone nor the package of sd-turbo-serverless is above ${import.meta.url}`);
    folder = above;
  }
  return folder;
}

function bundle(bundler: string, outdir: string): void {
  execFileSync(process.execPath, [bundler, '--outdir', outdir], {
    // What an app prints on stdout is the CDK command's own.
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}
