import { setTimeout as pause } from 'node:timers/promises';
import { Hono } from 'hono';
import { expect, test } from 'vitest';
import { InProcessEndpoint } from '../../../functions/endpoint/worker/in-process-endpoint.js';
import { ProblemError, problemResponse } from '../../../functions/shared/problem-response.js';
import { AppError } from '../../../lib/errors/app-error.js';

const request = {
  prompt: 'a tree',
  num_steps: 1,
  seed: 7,
  num_images: 1,
  output_format: 'png',
  decoder: 'vae',
} as const;

/** An endpoint whose route does as told. */
function endpointOf(route: (request: Request) => Promise<Response>, isBroken = false): InProcessEndpoint {
  const app = new Hono();
  app.post('/invocations', ({ req }) => route(req.raw));
  return new InProcessEndpoint(app, { isBroken });
}

const failing = async () => problemResponse(new AppError('INTERNAL', 'CUDA failure 700'), 'request-1');
const context = (signal: AbortSignal) => ({ requestId: 'request-1', signal });

test("a request reaches the route with its id; the answer's phases come back", async () => {
  const endpoint = endpointOf(async (incoming) => {
    expect(incoming.headers.get('x-request-id')).toBe('request-1');
    const { seed } = (await incoming.json()) as typeof request;
    const rest = { num_steps: 1, output_format: 'png', decoder: 'vae', tokens_cut: 0, model: 'm' };
    return Response.json({ result: 'AAAA', seed, ...rest }, { headers: { 'server-timing': 'unet;dur=2.0' } });
  });
  const { answer, timings } = await endpoint.invoke(request, context(new AbortController().signal));
  expect([answer.seed, timings]).toEqual([7, { unet: 2 }]);
});

test('a request whose time is up has timed out, once its run has ended', async () => {
  let hasEnded = false;
  const endpoint = endpointOf(async (incoming) => {
    while (!incoming.signal.aborted) await pause(5);
    await pause(50);
    hasEnded = true;
    return problemResponse(new ProblemError(503, 'no time was left for this request'), 'request-1');
  });
  const invoked = endpoint.invoke(request, context(AbortSignal.timeout(20)));
  await expect(invoked).rejects.toMatchObject({ fault: 'timeout' });
  expect(hasEnded).toBe(true);
});

test('a request on which the model fails is to blame where the model still draws', async () => {
  const invoked = endpointOf(failing).invoke(request, context(new AbortController().signal));
  await expect(invoked).rejects.toMatchObject({ fault: 'model' });
});

test('where it does not, no request ends', async () => {
  const signal = new AbortController().signal;
  const invoked = endpointOf(failing, true).invoke(request, context(signal));
  expect(await Promise.race([invoked, pause(200, 'still waiting')])).toBe('still waiting');
});
