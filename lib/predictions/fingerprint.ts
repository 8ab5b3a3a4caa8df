import { createHash } from 'node:crypto';
import type { PredictRequest } from '../schemas/request.js';

/** Tells requests apart: equal for the same fields in any order, whatever was left to a default. */
export function fingerprint(request: PredictRequest): string {
  const fields = Object.entries(request).filter(([, value]) => value !== undefined);
  const sorted = fields.toSorted(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex');
}
