import * as z from 'zod';
import type { GenerateInput } from '../client/generate-input.js';
import { AppError } from '../errors/app-error.js';
import { imageBytes, imageIssues, withImageDefaults } from '../schemas/image-rules.js';
import { readImageText } from '../schemas/image-text.js';
import { inputName, inputProblem, wireName } from '../schemas/input-names.js';
import { generateRequestSchema, promptSchema } from '../schemas/request.js';

/** Here an empty prompt is as good as any: it is drawn as diffusers does. The picture is looked at when it is read. */
const requestSchema = generateRequestSchema.extend({
  prompt: promptSchema,
  image: z.instanceof(Uint8Array).optional(),
});

export type ParsedInput = z.infer<typeof requestSchema>;

/**
 * The request of a program, with the names of the wire and the bytes of its picture.
 *
 * @throws AppError INVALID_INPUT that names the field as the program does
 */
export async function parseInput(input: GenerateInput): Promise<ParsedInput> {
  const problem = inputProblem(input);
  if (problem) throw new AppError('INVALID_INPUT', problem);
  const image = await readBytes(input.image);
  const said = Object.entries({ ...input, image }).filter(([, value]) => value !== undefined);
  const request = Object.fromEntries(said.map(([name, value]) => [wireName(name), value]));
  const { data, error } = requestSchema.safeParse(withImageDefaults(request));
  const issues = error ? error.issues : imageIssues(data);
  if (data && issues.length === 0) return data;
  const wrong = issues.map(({ path, message }) => `${inputName(String(path[0]))}: ${message}`);
  throw new AppError('INVALID_INPUT', wrong.join('; ').replace('num_steps', inputName('num_steps')));
}

async function readBytes(image: GenerateInput['image']): Promise<Uint8Array | undefined> {
  if (image === undefined || image instanceof Uint8Array) return image;
  if (image instanceof Blob) return new Uint8Array(await image.arrayBuffer());
  if (typeof image !== 'string') {
    throw new AppError(
      'INVALID_INPUT',
      'image: must be a Blob, a Uint8Array, or a string of base64 or a data URL',
    );
  }
  const read = readImageText(image);
  if ('wrong' in read) throw new AppError('INVALID_INPUT', `image: ${read.wrong}`);
  return imageBytes(read.base64);
}
