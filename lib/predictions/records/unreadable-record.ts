import { AppError } from '../../errors/app-error.js';

/** What is stored of one prediction is damaged, or of a version that is not this one: it costs that prediction. */
export class UnreadableRecord extends AppError {
  constructor(id: string, name: string, cause: unknown) {
    super('INVALID_FILE', `prediction ${id}: ${name}.json cannot be read, and its prediction is lost`, {
      cause,
    });
  }
}
