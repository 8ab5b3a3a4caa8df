import { existsSync } from 'node:fs';

/** The package's own directory: the nearest one above this module that has a package.json. */
export function packageRoot(): URL {
  let folder = new URL('./', import.meta.url);
  while (!existsSync(new URL('package.json', folder))) folder = new URL('../', folder);
  return folder;
}
