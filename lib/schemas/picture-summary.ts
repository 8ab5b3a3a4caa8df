import * as z from 'zod';

/** Of a thumbnail, in cells. */
export const THUMBNAIL_SIDE = 8;
const THUMBNAIL_DIGITS = 2 * 3 * THUMBNAIL_SIDE ** 2;

/** What is left of a picture to tell whether another is about the same. Levels are those of its bytes, 0 to 255. */
export const pictureSummarySchema = z.strictObject({
  /** Of all levels. */
  mean: z.number().min(0).max(255),
  /** Their standard deviation. */
  spread: z.number().min(0).max(128),
  /** 8 x 8 cells of red, green and blue, row by row: the means of their levels, two hexadecimal digits each. */
  thumbnail: z.string().regex(new RegExp(`^[0-9a-f]{${THUMBNAIL_DIGITS}}$`)),
});

export type PictureSummary = z.infer<typeof pictureSummarySchema>;
