import { readEvents, type ServerEvent } from '../../lib/client/read-events.js';

/** The events of an answer, until it ends or there are `most` of them: then the connection is let go of. */
export async function collectEvents(
  response: Response,
  most = Number.POSITIVE_INFINITY,
): Promise<ServerEvent[]> {
  const events: ServerEvent[] = [];
  for await (const event of readEvents(response)) if (events.push(event) >= most) break;
  return events;
}
