import { AppError } from '../../errors/app-error.js';
import { demoBundle } from '../../package/demo-bundle.js';
import { BUNDLE_KINDS, type BundlePlace, parsePlace } from '../../weights/sources/place.js';
import { assertInstalled, S3_PACKAGES } from '../assert-installed.js';

/**
 * Where `--model` says that a bundle is.
 *
 * @param model undefined for the demo model
 * @throws AppError that names the option
 */
export function modelPlace(model: string | undefined): BundlePlace {
  if (model === undefined) return { kind: 'directory', path: demoBundle() };
  try {
    const place = parsePlace(model, BUNDLE_KINDS);
    if (place.kind === 's3') assertInstalled('s3://', S3_PACKAGES);
    return place;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw new AppError(error.code, `--model ${error.message}`, { cause: error });
  }
}
