import { fileURLToPath } from 'node:url';
import { packageRoot } from './package-root.js';

/** The bundle that is part of this package. */
export function demoBundle(): string {
  return fileURLToPath(new URL('lib/demo-model/bundle', packageRoot()));
}
