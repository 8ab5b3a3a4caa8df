import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../../package/package-root.js';

/**
 * How an app depends on this package, in npm's words: by its version, or where it came from a tarball, by that one, since
 * a registry may not have it. In a clone, by the tarball that `npm run pack:main` makes.
 */
export async function ownSpec(): Promise<string> {
  const root = fileURLToPath(packageRoot());
  const { name, version, private: isClone } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  if (isClone) return `file:${join(root, `${name}-${version}.tgz`)}`;
  // Where npm writes down what it has installed, and from where. Others do not.
  const lock = await readFile(join(root, '../.package-lock.json'), 'utf8').catch(() => '{}');
  const from: string = JSON.parse(lock).packages?.[`node_modules/${name}`]?.resolved ?? '';
  return from.startsWith('file:') ? `file:${resolve(root, '../..', from.slice('file:'.length))}` : version;
}
