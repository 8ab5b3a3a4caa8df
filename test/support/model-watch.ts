import { ModelWatch } from '../../functions/endpoint/model-watch.js';

/** Of a model that is not known to break. */
export function modelWatch(): ModelWatch {
  return new ModelWatch({ selfTest: async () => undefined, onBroken: () => undefined });
}
