import * as z from 'zod';
import { pictureSummarySchema } from './picture-summary.js';
import { DECODERS } from './request.js';

/** What the self-test's picture looks like with each decoder: see `lib/pipeline/self-test.ts`. */
export const selfTestSchema = z.partialRecord(z.enum(DECODERS), pictureSummarySchema);

/** Beside `manifest.json`. */
export const SELF_TEST_NAME = 'self-test.json';

/** `self-test.json` beside a manifest that has no picture: what the first start with the bundle has drawn. */
export const selfTestRecordSchema = z.strictObject({
  format: z.literal('sd-turbo-self-test'),
  version: z.literal(1),
  /** Identity of the bundle that drew it: another in the same place draws another picture. */
  bundle: z.string().regex(/^[0-9a-f]{64}$/),
  self_test: selfTestSchema,
});

export type SelfTest = z.infer<typeof selfTestSchema>;
export type SelfTestRecord = z.infer<typeof selfTestRecordSchema>;
