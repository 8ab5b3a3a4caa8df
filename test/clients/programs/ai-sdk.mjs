// Vercel's AI SDK before this service; one JSON object on stdout.
//
//   node ai-sdk.mjs URL KEY

import { createOpenAI } from '@ai-sdk/openai';
import { generateImage } from 'ai';

const [url, apiKey] = process.argv.slice(2);
const prompt = 'A tree in a field under the night sky';
const openai = createOpenAI({ baseURL: `${url}/v1`, apiKey });
/** @param {string} model @param {object} options */
const draw = async (model, options) => {
  const { images } = await generateImage({ model: openai.image(model), prompt, ...options });
  return images.map(({ base64, mediaType }) => ({ base64, mediaType }));
};

const stranger = createOpenAI({ baseURL: `${url}/v1`, apiKey: 'sk-another' });
const refusal = await generateImage({ model: stranger.image('dall-e-3'), prompt, maxRetries: 0 }).catch(
  (error) => error,
);

const [tree] = await draw('dall-e-3', { size: '1024x1024' });
console.log(
  JSON.stringify({
    'dall-e-3': [tree],
    'gpt-image-1': await draw('gpt-image-1', { size: '1536x1024' }),
    'dall-e-2': await draw('dall-e-2', { n: 2, size: '256x256' }),
    edited: await generateImage({
      model: openai.image('gpt-image-1'),
      prompt: { text: 'A tree in a field at sunrise', images: [Buffer.from(tree.base64, 'base64')] },
    }).then(({ images }) => images.map(({ base64, mediaType }) => ({ base64, mediaType }))),
    'another key': refusal.statusCode,
  }),
);
