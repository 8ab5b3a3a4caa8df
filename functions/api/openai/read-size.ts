import type { ApiServices } from '../../../lib/predictions/delivery/delivery.js';
import { OPENAI_SIZES } from '../../../lib/schemas/openai/image-request.js';
import type { PictureSize } from '../../../lib/schemas/picture-size.js';
import { parameterRefused } from './parameter-refused.js';

/**
 * The size that a name stands for.
 *
 * @returns undefined for the model's own
 * @throws ParameterRefused for one that is neither OpenAI's nor the model's
 */
export async function readSize(
  name: string | null | undefined,
  { waker }: Pick<ApiServices, 'waker'>,
): Promise<PictureSize | undefined> {
  if (!name || name === 'auto') return undefined;
  const [width = 0, height = 0] = name.split('x').map(Number);
  if (OPENAI_SIZES.some((known) => known === name)) return { width, height };
  const { size: own } = await waker.health();
  if (own?.width === width && own.height === height) return undefined;
  const others = `must be auto, ${own ? `${own.width}x${own.height}, ` : ''}${OPENAI_SIZES.join(', ')}`;
  throw parameterRefused('size', others);
}
