import { AppError } from '../errors/app-error.js';
import { assertDirectory } from '../weights/assert-directory.js';
import { BUNDLE_KINDS, type BundlePlace, parsePlace } from '../weights/place.js';
import { demoBundle } from './demo-bundle.js';

/**
 * Where `--model` says that a bundle is.
 *
 * @param model undefined for the demo model
 * @throws AppError that names the option
 */
export async function modelPlace(model: string | undefined): Promise<BundlePlace> {
  if (model === undefined) return { kind: 'directory', path: demoBundle() };
  try {
    const place = parsePlace(model, BUNDLE_KINDS);
    if (place.kind === 'directory') await assertDirectory(place.path);
    return place;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw new AppError(error.code, `--model ${error.message}`, { cause: error });
  }
}
