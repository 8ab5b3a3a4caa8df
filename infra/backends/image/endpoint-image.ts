import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { IgnoreMode } from 'aws-cdk-lib';
import { DockerImageAsset, Platform } from 'aws-cdk-lib/aws-ecr-assets';
import type { Construct } from 'constructs';

const DOCKERFILE = 'functions/endpoint/Dockerfile';

/** What the server does not import: a change there must not bring a new image, and with it a wake. */
const NOT_IMPORTED = [
  'functions/*',
  '!functions/endpoint',
  '!functions/node-bundle.mjs',
  '!functions/shared',
  'functions/shared/aws/*',
  '!functions/shared/aws/powertools-telemetry.ts',
  '!functions/shared/aws/s3',
  '!functions/shared/aws/sqs',
  'functions/shared/webhooks',
  'lib/cli',
  'lib/client',
  'lib/export',
  'lib/in-process',
  'lib/onnx',
  '**/*.md',
];

/**
 * The container's image. Synthesis only hashes the files; the CDK command line builds and pushes them at deploy.
 *
 * @param directory the build context
 */
export function endpointImage(scope: Construct, id: string, directory: string): DockerImageAsset {
  // CDK itself reads nothing but a .dockerignore in the root; docker reads the one beside the Dockerfile.
  const ignored = readFileSync(join(directory, `${DOCKERFILE}.dockerignore`), 'utf8').split('\n');
  return new DockerImageAsset(scope, id, {
    directory,
    file: DOCKERFILE,
    platform: Platform.LINUX_AMD64,
    ignoreMode: IgnoreMode.DOCKER,
    exclude: [...ignored.filter((line) => line !== '' && !line.startsWith('#')), ...NOT_IMPORTED],
  });
}
