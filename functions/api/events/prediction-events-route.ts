import type { Context } from 'hono';
import { type SSEStreamingApi, streamSSE } from 'hono/streaming';
import { followPrediction } from '../../../lib/predictions/follow-prediction.js';
import { ownRequest } from '../../../lib/predictions/read-prediction.js';
import { errorFields } from '../../shared/error-fields.js';
import type { RouteContext } from '../api-props.js';
import { checkPredictionId } from '../prediction-route.js';
import type { EventStreams } from './event-streams.js';

/** Before a broken connection is made again. Milliseconds. */
const RETRY_MS = 1_000;
/** Proxies cut what is silent for a minute, and a dead connection is only found by writing. Milliseconds. */
const HEARTBEAT_MS = 15_000;
/** So long after a stream's time is up it may still be read from. Milliseconds. */
const STALL_MS = 10_000;
/** Of an event's id, with room: what is longer was never ours. Characters. */
const MAX_ID = 64;

/**
 * `GET /predictions/{id}` as server-sent events: `progress` for each phase of the wake and of the drawing, then `ended`
 * with the prediction. `Last-Event-ID` goes on behind an event; who has been told the end gets 204, which ends a browser's
 * own attempts to go on.
 */
export async function predictionEventsRoute(
  c: Context,
  id: string,
  context: RouteContext,
  streams: EventStreams,
): Promise<Response> {
  const { props, request, caller } = context;
  checkPredictionId(id);
  const lastId = request.headers.get('last-event-id')?.slice(0, MAX_ID);
  // What is wrong is told with its status, which a stream has not any more.
  await ownRequest({ id, caller }, props.services);
  const end = await props.services.store.readEnd(id);
  if (end && end.status === lastId) return new Response(null, { status: 204 });
  streams.begin();
  const response = streamSSE(c, (stream) =>
    tell(stream, { id, lastId, context, streams }).finally(() => streams.end()),
  );
  // The connection's, and the server's to say.
  for (const name of ['transfer-encoding', 'connection']) response.headers.delete(name);
  // Or a proxy collects them.
  response.headers.set('x-accel-buffering', 'no');
  return response;
}

interface TellProps {
  readonly id: string;
  readonly lastId: string | undefined;
  readonly context: RouteContext;
  readonly streams: EventStreams;
}

/** Writes what happens until the prediction has ended, the caller has gone, or the time is up. */
async function tell(stream: SSEStreamingApi, { id, lastId, context, streams }: TellProps): Promise<void> {
  const { props, request, caller, requestId } = context;
  const { services, telemetry } = props;
  const gone = new AbortController();
  stream.onAbort(() => gone.abort());
  const signals = [gone.signal, request.signal, services.clock.timeout(streams.limitMs), streams.stopping];
  const signal = AbortSignal.any(signals.filter((each) => each !== undefined));
  const heart = setInterval(() => void stream.write(':\n\n'), HEARTBEAT_MS);
  // Whoever reads nothing is not waited for.
  const stalled = setTimeout(() => stream.abort(), streams.limitMs + STALL_MS);
  let settling: NodeJS.Timeout | undefined;
  try {
    await stream.write(`retry: ${RETRY_MS}\n\n`);
    for await (const news of followPrediction({ id, caller, lastId, signal }, services)) {
      await stream.writeSSE({ event: news.kind, id: news.id, data: JSON.stringify(news.data) });
      if (streams.settleMs !== undefined) settling ??= setTimeout(() => gone.abort(), streams.settleMs);
    }
  } catch (error) {
    // Whoever comes back is told with a status.
    telemetry.log('warn', 'a stream of events was broken off', {
      request_id: requestId,
      ...errorFields(error),
    });
  } finally {
    clearInterval(heart);
    clearTimeout(settling);
    clearTimeout(stalled);
  }
}
