import { readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { packageRoot } from '../../package/package-root.js';

export const BACKENDS = ['sagemaker', 'ec2'] as const;

/** Files of the app by those of `packages/app`: npm publishes no `.gitignore`. */
const TEMPLATES = {
  'app.ts': 'app.ts',
  'cdk.json': 'cdk.json',
  'tsconfig.json': 'tsconfig.json',
  '.gitignore': 'gitignore',
  'README.md': 'README.md',
} as const;
/** What stands in the templates for an app's own. */
const NAME = 'my-pictures';
const BACKEND = 'sagemaker';
/** As of `-c stackName`: what AWS names after a stack has not much more room. */
const MAX_NAME = 40;

export interface NewAppOptions {
  readonly backend: (typeof BACKENDS)[number];
  /** How the app depends on this package: `ownSpec`. */
  readonly own: string;
}

/**
 * A CDK app with one stack, which is named after the app's directory.
 *
 * @returns the text of each file, by its name
 */
export async function newApp(
  directory: string,
  { backend, own }: NewAppOptions,
): Promise<Record<string, string>> {
  const name = nameAfter(directory);
  const files: Record<string, string> = { 'package.json': await manifest(name, own) };
  for (const [file, template] of Object.entries(TEMPLATES)) {
    const text = await readFile(new URL(`packages/app/${template}`, packageRoot()), 'utf8');
    // In this order: a name may be made of words.
    files[file] = text.replaceAll(BACKEND, backend).replaceAll(NAME, name);
  }
  return files;
}

/** What this package was tested with is in its own manifest. */
async function manifest(name: string, own: string): Promise<string> {
  const { devDependencies: tested } = JSON.parse(
    await readFile(new URL('package.json', packageRoot()), 'utf8'),
  );
  const pick = (...names: string[]) => Object.fromEntries(names.map((each) => [each, tested[each]]));
  const text = {
    name,
    private: true,
    type: 'module',
    scripts: { deploy: 'cdk deploy', destroy: 'cdk destroy' },
    dependencies: { ...pick('aws-cdk-lib', 'constructs'), 'sd-turbo-serverless': own },
    devDependencies: pick('@types/node', 'aws-cdk', 'typescript'),
  };
  return `${JSON.stringify(text, undefined, 2)}\n`;
}

/** Letters, digits and single dashes, as stacks and packages may be named. */
function nameAfter(directory: string): string {
  const words =
    basename(resolve(directory))
      .toLowerCase()
      .match(/[a-z0-9]+/g) ?? [];
  const name = words
    .join('-')
    .replace(/^[0-9-]+/, '')
    .slice(0, MAX_NAME);
  return name.replace(/-$/, '') || NAME;
}
