import { AppError } from '../../errors/app-error.js';
import type { Problem } from '../../schemas/problem.js';

/** A prediction has ended without a picture, and its record says why. */
export class PredictionFailed extends AppError {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super('INTERNAL', problem.detail);
    this.problem = problem;
  }
}
