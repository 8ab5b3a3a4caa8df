import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SageMakerClient } from '@aws-sdk/client-sagemaker';
import { SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SageMakerEndpoint } from '../../../../functions/shared/aws/sagemaker/sagemaker-endpoint.js';
import type { EndpointError, EndpointFault } from '../../../../lib/predictions/endpoint.js';
import type { Problem } from '../../../../lib/schemas/problem.js';
import { pictureOf } from '../../../support/simulation/endpoint.js';

const REQUEST = {
  prompt: 'a tree',
  num_steps: 1,
  seed: 1,
  num_images: 1,
  output_format: 'png',
  decoder: 'vae',
} as const;
const PROBLEM: Problem = {
  type: 'about:blank',
  title: 'Bad Request',
  status: 400,
  detail: 'this model has no decoder taesd',
  errors: [{ field: 'decoder', message: 'is not there' }],
  request_id: 'request-1',
};

/** Answers as the service's REST-JSON protocol has it. */
function failure(status: number, type: string | undefined, body: unknown): RequestListener {
  return (_, response) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const named = type === undefined ? {} : { 'x-amzn-errortype': type };
    response.writeHead(status, { 'content-type': 'application/json', ...named }).end(text);
  };
}

function modelError(
  original: number,
  message: string,
  said = 'Received error from primary',
): RequestListener {
  const body = { Message: said, OriginalStatusCode: original, OriginalMessage: message, LogStreamArn: 'arn' };
  return failure(424, 'ModelError', body);
}

const NO_CAPACITY =
  'Inference Component has no capacity to process this request. ApplicationAutoScaling may be in-progress.';

let listener: RequestListener;
let server: Server;
let endpoint: SageMakerEndpoint;
beforeAll(async () => {
  server = createServer((request, response) => {
    request.resume().on('end', () => listener(request, response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const settings = {
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    maxAttempts: 1,
  };
  endpoint = new SageMakerEndpoint({
    runtime: new SageMakerRuntimeClient(settings),
    control: new SageMakerClient(settings),
    endpointName: 'endpoint',
    inferenceComponentName: 'component',
  });
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

const never = () => new AbortController().signal;

async function invoke(answer: RequestListener, signal = never()): Promise<EndpointError> {
  listener = answer;
  const outcome = await endpoint.invoke(REQUEST, { requestId: 'request-1', signal }).catch((error) => error);
  expect(outcome).toBeInstanceOf(Error);
  return outcome;
}

function cut(begin: (response: ServerResponse) => void): RequestListener {
  return (_, response) => {
    begin(response);
    setTimeout(() => response.socket?.destroy(), 5);
  };
}

const TABLE: [string, EndpointFault, RequestListener][] = [
  ['no capacity', 'cold', failure(400, 'ValidationError', { message: NO_CAPACITY })],
  ['no capacity, by its other name', 'cold', failure(400, 'ValidationException', { Message: NO_CAPACITY })],
  [
    'no capacity, type in the body',
    'cold',
    failure(400, undefined, { __type: 'x#ValidationError', message: NO_CAPACITY }),
  ],
  [
    'another validation error',
    'unknown',
    failure(400, 'ValidationError', { message: 'Endpoint x not found' }),
  ],
  ['the container is busy', 'busy', modelError(503, 'no json')],
  ['the container is throttling', 'busy', modelError(429, '')],
  ['the container refuses', 'refused', modelError(400, JSON.stringify(PROBLEM))],
  ['the container refuses in its own words', 'refused', modelError(404, 'nope')],
  ['the container fails', 'model', modelError(500, 'CUDA out of memory')],
  ['the container fails without a word', 'model', failure(424, 'ModelError', {})],
  [
    'the container says that its numbers are none',
    'numbers',
    modelError(502, JSON.stringify({ ...PROBLEM, status: 502 })),
  ],
  ['502 from the container, but not in its words', 'model', modelError(502, '<html>')],
  ['the container takes too long', 'timeout', modelError(500, '', 'Model timed out: see arn')],
  ['the model is not ready', 'busy', failure(429, 'ModelNotReadyException', { Message: 'Model is loading' })],
  ['an internal failure', 'busy', failure(500, 'InternalFailure', { Message: 'x' })],
  ['the service is away', 'busy', failure(503, 'ServiceUnavailable', { Message: 'x' })],
  ['a dependency is away', 'busy', failure(530, 'InternalDependencyException', { Message: 'x' })],
  ['throttled with a null message', 'throttled', failure(400, 'ThrottlingException', { message: null })],
  ['throttled without a body', 'throttled', failure(400, 'ThrottlingException', '')],
  ['too many requests by status alone', 'throttled', failure(429, undefined, {})],
  ['500 that nobody named', 'busy', failure(500, undefined, {})],
  ['502 from some proxy', 'busy', failure(502, undefined, '<html>Bad Gateway</html>')],
  ['503 that nobody named', 'busy', failure(503, undefined, '')],
  ['504 that nobody named', 'busy', failure(504, undefined, '')],
  ['no permission', 'unknown', failure(403, 'AccessDeniedException', { Message: 'x' })],
  ['a connection cut before the answer', 'lost', cut(() => undefined)],
  [
    'a connection cut in the answer',
    'lost',
    cut((response) => void response.writeHead(200, { 'content-length': 1000 }).write('{"result"')),
  ],
  ['an answer that is no JSON', 'model', (_, response) => void response.end('<html>')],
  ['an answer that is no picture', 'model', (_, response) => void response.end('{"result": 1}')],
];

describe('what InvokeEndpoint answers is', () => {
  test.each(TABLE)('%s: %s', async (_, fault, answer) => {
    const error = await invoke(answer);
    expect({ fault: error.fault, name: error.name }).toEqual({ fault, name: 'AppError' });
    expect(error.message).not.toBe('');
  });

  test('no connection at all: busy', async () => {
    const settings = {
      region: 'us-east-1',
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
      maxAttempts: 1,
    };
    const nobody = new SageMakerEndpoint({
      // Port 9 takes nothing here.
      runtime: new SageMakerRuntimeClient({ ...settings, endpoint: 'http://127.0.0.1:9' }),
      control: new SageMakerClient(settings),
      endpointName: 'endpoint',
      inferenceComponentName: 'component',
    });
    const error = await nobody.invoke(REQUEST, { requestId: 'x', signal: never() }).catch((thrown) => thrown);
    expect(error.fault).toBe('busy');
  });

  test("the caller's own deadline: timeout", async () => {
    const error = await invoke(() => undefined, AbortSignal.timeout(50));
    expect(error.fault).toBe('timeout');
    server.closeAllConnections();
  });

  test("the container's own problem is passed on whole", async () => {
    const error = await invoke(modelError(400, JSON.stringify(PROBLEM)));
    expect(error.problem).toEqual(PROBLEM);
    expect(error.message).toBe(PROBLEM.detail);
  });

  test('a problem that was cut short is not guessed at', async () => {
    const error = await invoke(modelError(400, JSON.stringify(PROBLEM).slice(0, 50)));
    expect(error.problem).toBeUndefined();
    expect(error.fault).toBe('refused');
  });

  test('a picture, with the phases that the container measured', async () => {
    listener = (_, response) => {
      response.setHeader('x-amzn-sagemaker-custom-attributes', 'unet;dur=12.0, decoder;dur=3.5');
      response.end(JSON.stringify(pictureOf(REQUEST)));
    };
    const drawn = await endpoint.invoke(REQUEST, { requestId: 'request-1', signal: never() });
    expect(drawn).toEqual({ answer: pictureOf(REQUEST), timings: { unet: 12, decoder: 3.5 } });
  });
});
