import { stat } from 'node:fs/promises';
import { AppError } from '../../errors/app-error.js';
import { suggestHubUrl } from './hub/suggest-hub-url.js';

/** @throws AppError NOT_FOUND, with the hub's spelling where a repository may be meant */
export async function assertDirectory(path: string): Promise<void> {
  const isThere = await stat(path).then(
    () => true,
    (error) => error.code !== 'ENOENT',
  );
  if (isThere) return;
  const hub = suggestHubUrl(path);
  throw new AppError(
    'NOT_FOUND',
    `there is no directory ${path}${hub ? `: did you mean the repository ${hub}?` : ''}`,
  );
}
