import * as z from 'zod';
import { drawsSchema } from './model-card.js';
import { pictureSizeSchema } from './picture-size.js';
import { DECODERS } from './request.js';

/** What a loaded model tells of itself besides its name: keys of `/ping`, of a worker's state, and of `/health`. */
export const aboutKeys = {
  draws: drawsSchema.optional(),
  decoders: z.array(z.enum(DECODERS)).optional().describe('Which values of `decoder` the model takes.'),
  encoder: z.boolean().optional().describe('Whether it takes an `image` to begin with.'),
  size: pictureSizeSchema.optional().describe('Of its pictures. Pixels.'),
};

const aboutSchema = z.object(aboutKeys);

type Abilities = z.infer<typeof aboutSchema>;
export type ModelAbout = Abilities & { model?: string };

/** The same of a larger object, as far as it is known. */
export function aboutModel({
  model,
  draws,
  decoders,
  encoder,
  size,
}: Abilities & { readonly model?: string | null | undefined }): ModelAbout {
  return {
    ...(model && { model }),
    ...(draws && { draws }),
    ...(decoders && { decoders }),
    ...(encoder !== undefined && { encoder }),
    ...(size && { size }),
  };
}
