import { AppError } from '../../errors/app-error.js';
import { BUNDLE_KINDS, type BundlePlace, parsePlace } from '../../weights/sources/place.js';
import { demoBundle } from './demo-bundle.js';

/**
 * Where `--model` says that a bundle is.
 *
 * @param model undefined for the demo model
 * @throws AppError that names the option
 */
export function modelPlace(model: string | undefined): BundlePlace {
  if (model === undefined) return { kind: 'directory', path: demoBundle() };
  try {
    return parsePlace(model, BUNDLE_KINDS);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw new AppError(error.code, `--model ${error.message}`, { cause: error });
  }
}
