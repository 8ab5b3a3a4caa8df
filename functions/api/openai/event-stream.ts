import type { OpenaiImageAnswer } from '../../../lib/schemas/openai/image-answer.js';

/**
 * An answer as OpenAI streams it: an event for each picture, and none before it is done. Source: OpenAI API, "Image
 * generation streaming events".
 *
 * @param isNew whether nothing was to begin with
 */
export function eventStream(
  { created, data, ...about }: OpenaiImageAnswer,
  isNew: boolean,
  headers: Readonly<Record<string, string>>,
): Response {
  const type = isNew ? 'image_generation.completed' : 'image_edit.completed';
  const events = data.map(({ b64_json }) => {
    const event = { type, b64_json, created_at: created, ...about };
    return `event: ${type}\ndata: ${JSON.stringify(event)}\n\n`;
  });
  const sent = { ...headers, 'content-type': 'text/event-stream', 'cache-control': 'no-cache' };
  return new Response(events.join(''), { headers: sent });
}
