import * as z from 'zod';

/** Largest side that a finished picture is brought to: four times the model's, and all that OpenAI's names of sizes have. */
const MAX_SIDE = 2048;

/** Pixels. */
export const pictureSizeSchema = z.strictObject({ width: z.int().min(1), height: z.int().min(1) });

/** Of a picture that somebody asks for. Pixels. */
export const wantedSizeSchema = z.strictObject({
  width: z.int().min(1).max(MAX_SIDE),
  height: z.int().min(1).max(MAX_SIDE),
});

export type PictureSize = z.infer<typeof pictureSizeSchema>;
