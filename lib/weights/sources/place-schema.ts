import * as z from 'zod';
import { AppError } from '../../errors/app-error.js';
import { type Place, parsePlace } from './place.js';

/** The text of a place, of one of these kinds. */
export function placeSchema(kinds: readonly Place['kind'][]): z.ZodString {
  return z.string().superRefine((text, context) => {
    try {
      parsePlace(text, kinds);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
    }
  });
}
