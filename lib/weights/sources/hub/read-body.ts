import { AppError } from '../../../errors/app-error.js';
import { readBounded } from '../../bytes/read-bounded.js';

/**
 * The whole body of a short answer.
 *
 * @param name of what was asked for, for messages
 * @throws AppError INVALID_FILE when it is longer than `maxBytes`, UNAVAILABLE when it breaks off
 */
export async function readBody(
  { body }: Response,
  maxBytes: number,
  name: string,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await readBounded(body ?? new Blob([]).stream(), maxBytes, name));
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof AppError) throw cause;
    throw new AppError('UNAVAILABLE', `${name}: the answer broke off`, { cause });
  }
}
