import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { bundleLambda } from '../../functions/bundle-lambda.mjs';
import { type Prediction, predictionSchema } from '../../lib/schemas/prediction.js';
import { scriptedContainer } from '../support/predictions/scripted-container.js';
import { toEvent, toResponse } from '../support/servers/gateway.js';
import { type MotoServer, startMotoServer } from '../support/servers/moto-server.js';
import { until } from '../support/until.js';
import type { FunctionStack } from './function-stack.js';
import { LambdaStack, type LambdaStackProps } from './lambda-stack.js';
import { PulledStack, type PulledStackProps } from './pulled-stack.js';

const SERVICE = 'https://abc123.execute-api.us-east-1.amazonaws.com/prod';

export interface LambdaFixture {
  /** The bundles: one folder for each function. */
  readonly folder: string;
  /** Stacks that were started so far. */
  readonly stacks: readonly FunctionStack[];
  /** A stack of its own, stopped when the tests are over. */
  readonly start: (name: string, options?: Partial<LambdaStackProps>) => Promise<LambdaStack>;
  /** ... with a worker that fetches its messages. */
  readonly pull: (props: Omit<PulledStackProps, 'folder' | 'moto'>) => Promise<PulledStack>;
}

/** Bundles and moto for the tests of one `describe`; small noise for pictures. */
export function lambdaFixture(): LambdaFixture {
  const folder = mkdtempSync(join(tmpdir(), 'lambda-'));
  const stacks: FunctionStack[] = [];
  let moto: MotoServer;
  beforeAll(async () => {
    [moto] = await Promise.all([startMotoServer(), bundleLambda(folder)]);
  });
  afterAll(async () => {
    await Promise.all(stacks.map((stack) => stack.stop()));
    await moto?.stop();
    rmSync(folder, { recursive: true });
  });
  const start: LambdaFixture['start'] = async (name, options = {}) => {
    const props = { folder, moto: moto.url, container: scriptedContainer, name, ...options };
    const stack = await LambdaStack.start(props);
    stacks.push(stack);
    return stack;
  };
  const pull: LambdaFixture['pull'] = async (props) => {
    const stack = await PulledStack.start({ folder, moto: moto.url, ...props });
    stacks.push(stack);
    return stack;
  };
  return { folder, stacks, start, pull };
}

export function get(path: string, headers: Record<string, string> = {}): Request {
  return new Request(SERVICE + path, { headers });
}

export function post(path: string, body: unknown, headers: Record<string, string> = {}): Request {
  return new Request(SERVICE + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}

/** From a request whose key the gateway has found good to the answer. */
export async function ask(stack: FunctionStack, request: Request): Promise<Response> {
  const event = await toEvent(request);
  event.requestContext.identity.apiKeyId = 'key-id-1';
  return toResponse(await stack.api(event), request.headers.get('accept'));
}

/** The id in a 202 answer. */
export async function idOf(response: Response): Promise<string> {
  expect(response.status).toBe(202);
  return ((await response.json()) as { id: string }).id;
}

/** A prediction when it has ended, or after 20 s. */
export async function predictionOf(stack: FunctionStack, id: string): Promise<Prediction> {
  const response = await ask(stack, get(`/predictions/${id}`, { prefer: 'wait=20' }));
  return predictionSchema.parse(await response.json());
}

/** Waits until nothing is left in the queue, and so many messages are given up. */
export async function drained(stack: FunctionStack, letters = 0): Promise<void> {
  await until('the queue is empty', async () => {
    const { waiting, dead } = await stack.counts();
    return waiting === 0 && dead === letters;
  });
}
