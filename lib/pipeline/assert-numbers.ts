import { AppError } from '../errors/app-error.js';

/**
 * A picture of what is no number would be black, and would look like an answer.
 *
 * @param network that gave the values
 * @throws AppError BAD_NUMBERS where one is infinite or none
 */
export function assertNumbers(network: string, values: Float32Array): void {
  const bad = values.find((value) => !Number.isFinite(value));
  if (bad === undefined) return;
  throw new AppError('BAD_NUMBERS', `the ${network} network gave ${bad}, of which no picture can be made`);
}
