import { AppError } from '../../errors/app-error.js';

/** Without these there is no picture; without the others it is still there. */
const VITAL: ReadonlySet<string> = new Set(['request', 'result']);

/** What is stored of one prediction is damaged, or of a version that is not this one: it costs that prediction at most. */
export class UnreadableRecord extends AppError {
  constructor(id: string, name: string, cause: unknown) {
    const lost = VITAL.has(name) ? ', and its prediction is lost' : '';
    super('INVALID_FILE', `prediction ${id}: ${name}.json cannot be read${lost}`, { cause });
  }
}
