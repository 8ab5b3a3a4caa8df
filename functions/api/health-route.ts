import { wakeEndpoint } from '../../lib/predictions/wake/wake-endpoint.js';
import type { ApiProps } from './api-props.js';

/** `GET /health`: the endpoint's state; whether it is up is in the body, that this service is, in the status. */
export async function healthRoute({ services }: ApiProps): Promise<Response> {
  return Response.json(await services.waker.health(), { headers: { 'cache-control': 'no-store' } });
}

/** `POST /warmup`: wakes the endpoint without a prompt. */
export async function warmUpRoute({ services }: ApiProps): Promise<Response> {
  const before = await services.waker.health();
  if (before.state === 'ready') return Response.json(before, { status: 202 });
  await wakeEndpoint(services);
  return Response.json(await services.waker.health(), { status: 202 });
}
