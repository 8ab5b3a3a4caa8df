import type { OpenaiWish } from '../../../lib/schemas/openai/image-request.js';

/** Fields that are taken and change nothing, where they ask for something else than there is. */
export function unheededWishes(asked: OpenaiWish): string[] {
  const { output_compression: compression, partial_images: partial } = asked;
  const wishes: [boolean, string][] = [
    ['style' in asked && asked.style === 'natural', 'style: has no effect: ask for one in the prompt'],
    [
      'input_fidelity' in asked && asked.input_fidelity === 'high',
      'input_fidelity: has no effect: a smaller strength keeps more of the picture',
    ],
    [
      typeof compression === 'number' && compression !== 100,
      'output_compression: has no effect: how far a picture is compressed cannot be chosen',
    ],
    [
      typeof partial === 'number' && partial > 0,
      'partial_images: has no effect: a picture comes when it is done',
    ],
  ];
  return wishes.filter(([isAsked]) => isAsked).map(([, words]) => words);
}
