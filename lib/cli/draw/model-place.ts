import { AppError } from '../../errors/app-error.js';
import { suggestHubUrl } from '../../weights/sources/hub/suggest-hub-url.js';
import { networkPrefix } from '../../weights/sources/network-prefix.js';
import { type Place, parsePlace, SOURCE_KINDS } from '../../weights/sources/place.js';
import { demoBundle } from './demo-bundle.js';

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
    return parsePlace((networkPrefix(model) && suggestHubUrl(model)) ?? model, SOURCE_KINDS);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw new AppError(error.code, `--model ${error.message}`, { cause: error });
  }
}
