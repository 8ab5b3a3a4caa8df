import { AppError } from '../errors/app-error.js';
import type { ElementType } from '../onnx/model.js';
import { quoteName } from '../weights/bytes/quote-name.js';
import type { PartWeights } from '../weights/checkpoint/open-part.js';
import type { StoredDtype, StoredTensor } from '../weights/checkpoint/safetensors-header.js';
import { explainMissingTensor } from './explain-missing-tensor.js';

/** What weights may be stored as. */
export const FLOAT_TYPES: ReadonlyMap<StoredDtype, ElementType> = new Map([
  ['F32', 'float32'],
  ['F16', 'float16'],
  ['BF16', 'bfloat16'],
  ['F64', 'float64'],
]);

/** How many tensor names an error message lists before it says how many more there are. */
const LISTED_NAMES = 5;

/** The tensors of one part, each to be taken exactly once. */
export class WeightStore {
  readonly #folder: string;
  readonly #tensors: Map<string, StoredTensor>;
  readonly #taken = new Set<string>();

  /**
   * @param folder of the part in the checkpoint, for messages
   * @param rename brings names of older files to today's
   */
  constructor(folder: string, weights: PartWeights, rename: (name: string) => string = (name) => name) {
    this.#folder = folder;
    this.#tensors = new Map();
    for (const [name, tensor] of weights.tensors) {
      const today = rename(name);
      if (this.#tensors.has(today)) {
        throw new AppError(
          'INVALID_FILE',
          `${folder}/${tensor.file}: tensor ${quoteName(name)} is there under two names`,
        );
      }
      this.#tensors.set(today, tensor);
    }
  }

  root(): WeightScope {
    return new WeightScope(this, '');
  }

  take(name: string, shape: readonly number[]): StoredTensor {
    const tensor = this.#tensors.get(name);
    if (!tensor) {
      const instead = explainMissingTensor(name, this.#tensors.keys());
      throw new AppError(
        'INVALID_FILE',
        `${this.#folder}: tensor "${name}" is missing from the weights${instead}`,
      );
    }
    if (!FLOAT_TYPES.has(tensor.dtype)) {
      const taken = [...FLOAT_TYPES.keys()].join(', ');
      this.#refuse(tensor, `has type ${tensor.dtype}, which is not supported: weights are ${taken}`);
    }
    if (shape.join() !== tensor.shape.join()) {
      const [has, wants] = [tensor.shape.join(', '), shape.join(', ')];
      this.#refuse(tensor, `has shape [${has}], the config asks for [${wants}]`);
    }
    if (this.#taken.has(name))
      throw new AppError('INTERNAL', `${this.#folder}: tensor "${name}" is used twice`);
    this.#taken.add(name);
    return tensor;
  }

  /** Throws when a tensor was neither taken nor is known to be of no use to the network. */
  assertAllUsed(knownUnused: RegExp): void {
    const left = [...this.#tensors.keys()].filter(
      (name) => !this.#taken.has(name) && !knownUnused.test(name),
    );
    if (left.length === 0) return;
    const more = left.length > LISTED_NAMES ? ` and ${left.length - LISTED_NAMES} more` : '';
    const names = left.slice(0, LISTED_NAMES).map(quoteName);
    throw new AppError(
      'UNSUPPORTED',
      `${this.#folder}: the config has no place for tensor ${names.join(', ')}${more}: this architecture is not supported`,
    );
  }

  #refuse(tensor: StoredTensor, problem: string): never {
    const path = `${this.#folder}/${tensor.file}`;
    throw new AppError('INVALID_FILE', `${path}: tensor ${quoteName(tensor.name)} ${problem}`);
  }
}

/** A layer's place in a network: prefixes tensor names and gives graph nodes their names. */
export class WeightScope {
  readonly path: string;
  readonly #store: WeightStore;

  constructor(store: WeightStore, path: string) {
    this.#store = store;
    this.path = path;
  }

  child(...names: readonly (string | number)[]): WeightScope {
    return new WeightScope(this.#store, [this.path, ...names].filter((name) => name !== '').join('.'));
  }

  /** The layer's tensor of that name and shape. */
  take(name: string, shape: readonly number[]): StoredTensor {
    return this.#store.take(this.path === '' ? name : `${this.path}.${name}`, shape);
  }
}
