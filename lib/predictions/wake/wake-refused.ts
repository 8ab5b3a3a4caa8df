import { AppError } from '../../errors/app-error.js';

/** No waiting helps: somebody has to do something before the endpoint can wake, and the message says what. */
export class WakeRefused extends AppError {
  constructor(message: string, cause?: unknown) {
    super('UNAVAILABLE', message, { cause, retryable: false });
  }
}
