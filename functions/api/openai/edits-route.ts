import { imageBytes } from '../../../lib/schemas/image-rules.js';
import { openaiEditRequestSchema } from '../../../lib/schemas/openai/image-request.js';
import { pictureIssues } from '../../shared/parse-request.js';
import type { RouteContext } from '../api-props.js';
import { drawImages } from './draw-images.js';
import { ParameterRefused, parameterRefused, parseParameters } from './parameter-refused.js';
import { readForm } from './read-form.js';

/** Of OpenAI's request; the whole picture is drawn anew here. */
const NO_MASK = 'is not taken: the whole picture changes, as far as `strength` lets it';
const ONE_IMAGE = 'must be one PNG, JPEG or WebP picture, as a file';

/** `POST /v1/images/edits`: a picture to begin with, as a form. */
export async function editsRoute(context: RouteContext): Promise<Response> {
  const { fields, files } = await readForm(context.request);
  const names = Object.fromEntries([...files.keys()].map((name) => [name, null]));
  const asked = parseParameters(openaiEditRequestSchema, { ...names, ...fields }, ['mask', 'image']);
  if ('mask' in fields || files.has('mask')) throw parameterRefused('mask', NO_MASK);
  const [file, ...others] = files.get('image') ?? [];
  if (!file || others.length > 0) throw parameterRefused('image', ONE_IMAGE);
  const image = Buffer.from(await file.arrayBuffer()).toString('base64');
  const issues = pictureIssues(imageBytes(image));
  if (issues.length > 0) throw new ParameterRefused(issues);
  return drawImages(asked, context, image);
}
