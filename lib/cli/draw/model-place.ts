import { AppError } from '../../errors/app-error.js';
import { demoBundle } from '../../package/demo-bundle.js';
import { suggestHubUrl } from '../../weights/sources/hub/suggest-hub-url.js';
import { networkPrefix } from '../../weights/sources/network-prefix.js';
import { type Place, parsePlace, SOURCE_KINDS } from '../../weights/sources/place.js';
import { assertInstalled, HUB_PACKAGES, S3_PACKAGES } from '../assert-installed.js';

/** Of the option `--model`. */
export const MODEL_HELP =
  'hf:OWNER/NAME[@REVISION], which is downloaded once, s3://BUCKET/PREFIX or a directory (default: sd-turbo-demo)';

/**
 * Where `--model` says that a model is: a bundle, or a checkpoint on the hub, whose page's address will do.
 *
 * @param model undefined for the demo model
 * @throws AppError that names the option
 */
export function modelPlace(model: string | undefined): Place {
  if (model === undefined) return { kind: 'directory', path: demoBundle() };
  try {
    const place = parsePlace((networkPrefix(model) && suggestHubUrl(model)) ?? model, SOURCE_KINDS);
    if (place.kind === 's3') assertInstalled('s3://', S3_PACKAGES);
    if (place.kind === 'hub') assertInstalled('hf:', HUB_PACKAGES);
    return place;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw new AppError(error.code, `--model ${error.message}`, { cause: error });
  }
}
