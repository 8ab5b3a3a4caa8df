import { type Context, Hono } from 'hono';
import { page as playground } from '#playground';
import { EndpointError } from '../../lib/predictions/endpoint.js';
import { errorFields } from '../shared/error-fields.js';
import { wantsEvents } from '../shared/negotiate.js';
import { describeProblem, ProblemError } from '../shared/problem-response.js';
import { requestId } from '../shared/request-id.js';
import type { ApiProps, RouteContext } from './api-props.js';
import { crossOrigin } from './cross-origin.js';
import { docsRoute } from './docs/docs-route.js';
import { errorResponse } from './error-response.js';
import { EventStreams } from './events/event-streams.js';
import { predictionEventsRoute } from './events/prediction-events-route.js';
import { faviconRoute } from './favicon-route.js';
import { healthRoute, warmUpRoute } from './health-route.js';
import { editsRoute } from './openai/edits-route.js';
import { generationsRoute } from './openai/generations-route.js';
import { modelRoute, modelsRoute } from './openai/models-route.js';
import { openapiRoute } from './openapi/openapi-route.js';
import { pageResponse } from './page-response.js';
import { predictRoute } from './predict-route.js';
import { predictionRoute } from './prediction-route.js';
import { cancelRoute, listRoute } from './predictions-route.js';

/** The routes whose requests are counted by what became of them. */
const DRAWING = /^\/(predict|v1\/images\/(generations|edits))$/;

/** Whose answers are what `Accept` and `Prefer` make of them, and theirs alone who have asked. */
const NEGOTIATED = /^\/predict(ions(\/[^/]+)?)?$/;
const VARY = 'Accept, Prefer, Authorization, X-Api-Key';

const NO_SUCH_PATH = 'no such path: POST /predict draws a picture, and GET /docs tells of all there is';
/** Of paths that others have. */
const HINTS: Readonly<Record<string, string>> = {
  '/v1/images/variations': 'no such path: send the picture to /v1/images/edits, with a prompt',
};

interface Variables {
  requestId: string;
}

type Env = { Variables: Variables };

/** Every route of the service, `Request` in and `Response` out: the same in AWS and at home. */
export function apiApp(props: ApiProps): Hono<Env> {
  const app = new Hono<Env>();
  const streams = new EventStreams(props.streams);

  app.use(async (c, next) => {
    const started = performance.now();
    c.set('requestId', requestId(c.req.raw.headers));
    await next();
    finish(c, performance.now() - started, props);
  });
  if (props.corsOrigins?.length) app.use(crossOrigin(props.corsOrigins));

  app.get('/health', () => healthRoute(props));
  app.post('/warmup', async (c) => warmUpRoute((await known(c, props)).props));
  app.post('/predict', async (c) => predictRoute(await known(c, props)));
  app.post('/v1/images/generations', async (c) => generationsRoute(await known(c, props)));
  app.post('/v1/images/edits', async (c) => editsRoute(await known(c, props)));
  app.get('/v1/models', async (c) => modelsRoute(await known(c, props)));
  app.get('/v1/models/:id', async (c) => modelRoute(c.req.param('id'), await known(c, props)));
  app.get('/', (c) => pageResponse(playground, c.req.raw));
  app.get('/docs', (c) => docsRoute(props.baseUrl(c.req.raw, c.env), c.req.raw, props.decoder));
  app.get('/openapi.json', (c) => openapiRoute(props.baseUrl(c.req.raw, c.env), props.decoder));
  app.get('/favicon.ico', () => faviconRoute());
  app.get('/predictions', async (c) => listRoute(await known(c, props)));
  app.delete('/predictions/:id', async (c) => cancelRoute(c.req.param('id'), await known(c, props)));
  app.get('/predictions/:id', async (c) => {
    const [id, context] = [c.req.param('id'), await known(c, props)];
    return wantsEvents(c.req.raw.headers)
      ? predictionEventsRoute(c, id, context, streams)
      : predictionRoute(id, context);
  });

  app.all('/health', () => wrongMethod('GET'));
  app.all('/warmup', () => wrongMethod('POST'));
  app.all('/predict', () => wrongMethod('POST'));
  app.all('/v1/images/generations', () => wrongMethod('POST'));
  app.all('/v1/images/edits', () => wrongMethod('POST'));
  app.all('/v1/models', () => wrongMethod('GET'));
  app.all('/v1/models/:id', () => wrongMethod('GET'));
  app.all('/', () => wrongMethod('GET'));
  app.all('/docs', () => wrongMethod('GET'));
  app.all('/openapi.json', () => wrongMethod('GET'));
  app.all('/favicon.ico', () => wrongMethod('GET'));
  app.all('/predictions', () => wrongMethod('GET'));
  app.all('/predictions/:id', () => wrongMethod('GET, DELETE'));
  app.notFound((c) => refuse(new ProblemError(404, HINTS[c.req.path] ?? NO_SUCH_PATH), c, props));
  app.onError((error, c) => refuse(error, c, props));
  return app;
}

/** A request with a good key. */
async function known(c: Context<Env>, props: ApiProps): Promise<RouteContext> {
  const request = c.req.raw;
  return {
    props,
    request,
    requestId: c.get('requestId'),
    caller: await props.caller(request, c.env),
    baseUrl: props.baseUrl(request, c.env),
  };
}

async function refuse(error: Error, c: Context<Env>, props: ApiProps): Promise<Response> {
  const id = c.get('requestId');
  const { telemetry } = props;
  const { status } = describeProblem(error);
  const outcome = outcomeOf(error, status);
  if (outcome === 'failed')
    telemetry.log('error', 'a request failed', { request_id: id, ...errorFields(error) });
  if (DRAWING.test(c.req.path)) telemetry.count('Requests', outcome);
  const response = await errorResponse(error, c.req.path, id, props);
  if (status === 401) response.headers.set('www-authenticate', 'Api-Key');
  return response;
}

function outcomeOf(error: Error, status: number): string {
  if (status < 500) return 'refused';
  // The endpoint is asleep or busy, and OpenAI's clients ask again.
  return error instanceof EndpointError && status === 503 ? 'later' : 'failed';
}

function wrongMethod(allow: string): never {
  throw new ProblemError(405, `this path takes ${allow.replace(', ', ' and ')} only`, { allow });
}

/** What every answer carries, and the line that every request leaves in the log: no query, no body, no key. */
function finish(c: Context<Env>, milliseconds: number, { telemetry }: ApiProps): void {
  const id = c.get('requestId');
  const phases = c.res.headers.get('server-timing');
  const total = `total;dur=${milliseconds.toFixed(1)}`;
  c.res.headers.set('server-timing', phases ? `${phases}, ${total}` : total);
  c.res.headers.set('x-request-id', id);
  if (NEGOTIATED.test(c.req.path)) c.res.headers.append('vary', VARY);
  telemetry.log('info', 'request', {
    request_id: id,
    method: c.req.method,
    route: c.req.routePath,
    status: c.res.status,
    milliseconds: Math.round(milliseconds),
  });
}
