/**
 * Many requests at once at `sd-turbo serve`, warm and asleep; and what the service adds to a request beside the model.
 *
 *   npm run build
 *   node test/support/run-ts.mjs test/bench/load.ts [--requests N] [--sequential N] [--model DIR]
 *
 * Requests share their prompts and seeds in groups, so that a picture that belongs to another request is seen.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parseServerTiming } from '../../functions/shared/server-timing.js';
import { generateAnswerSchema } from '../../lib/schemas/answer.js';
import { predictionSchema } from '../../lib/schemas/prediction.js';
import { HomeProcess } from '../support/processes/home-process.js';
import { until } from '../support/until.js';

const { values: options } = parseArgs({
  options: {
    requests: { type: 'string', default: '1000' },
    sequential: { type: 'string', default: '50' },
    model: { type: 'string' },
  },
});
const REQUESTS = Number(options.requests);
const PROMPTS = ['a red house in the snow at sunset', 'a blue boat at sea at dawn'];
const SEEDS = 20;
const IDLE_SECONDS = 3;
/** As the server has no other phases, what is left of its total is ours. */
const PHASES = ['queue', 'load', 'text_encoder', 'encoder', 'unet', 'decoder', 'encode'];

interface Outcome {
  /** Of the first answer; 0 where there was none. */
  readonly status: number;
  /** What was drawn, and for which request; undefined where nothing was. */
  readonly drawn?: { readonly group: string; readonly picture: string } | undefined;
}

function bodyOf(index: number) {
  return {
    prompt: PROMPTS[index % PROMPTS.length] as string,
    seed: Math.floor(index / PROMPTS.length) % SEEDS,
  };
}

/** One request, followed to its end. */
async function request(service: HomeProcess, index: number): Promise<Outcome> {
  const body = bodyOf(index);
  const response = await service.predict(body).catch(() => undefined);
  if (!response) return { status: 0 };
  const { status } = response;
  const answer: unknown = await response.json();
  const location = response.headers.get('location');
  const parsed = generateAnswerSchema.safeParse(status === 202 ? await follow(service, location) : answer);
  if (!parsed.success || parsed.data.seed !== body.seed) return { status };
  const picture = createHash('sha256').update(parsed.data.result).digest('hex');
  return { status, drawn: { group: JSON.stringify(body), picture } };
}

async function follow(service: HomeProcess, location: string | null): Promise<unknown> {
  for (;;) {
    // An idle connection may be closed just when it is used again: whoever only asks asks again.
    const response = await service
      .fetch(location ?? '', { headers: { prefer: 'wait=20' } })
      .catch(() => undefined);
    if (!response) continue;
    const prediction = predictionSchema.parse(await response.json());
    if (prediction.status === 'failed') return undefined;
    if (prediction.status !== 'succeeded') continue;
    const { id, created_at, completed_at, status, webhook, ...answer } = prediction;
    return answer;
  }
}

function report(name: string, outcomes: readonly Outcome[], seconds: number, service: HomeProcess): void {
  const pictures = new Map<string, Set<string>>();
  for (const { drawn } of outcomes) {
    if (drawn) pictures.set(drawn.group, (pictures.get(drawn.group) ?? new Set()).add(drawn.picture));
  }
  const withStatus = (status: number) => outcomes.filter((outcome) => outcome.status === status).length;
  const lost = outcomes.filter(({ drawn }) => !drawn).length;
  const mixed = [...pictures.values()].filter(({ size }) => size > 1).length;
  console.log(
    `${name}: ${outcomes.length} at once, ${withStatus(200)} answered at once, ${withStatus(202)} accepted, ` +
      `${lost} lost, ${mixed} mixed up; ${seconds.toFixed(0)} s, peak memory of the API ${peakMemory(service)} MB`,
  );
  if (lost + mixed > 0) process.exitCode = 1;
}

/** The largest resident set so far, MB. Linux only. */
function peakMemory({ pid }: HomeProcess): number {
  const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Math.round(Number(kilobytes) / 1000);
}

async function burst(name: string, service: HomeProcess): Promise<void> {
  const started = performance.now();
  const outcomes = await Promise.all(Array.from({ length: REQUESTS }, (_, index) => request(service, index)));
  report(name, outcomes, (performance.now() - started) / 1000, service);
}

/** Milliseconds of each request that are not the model's, by the server's own clock and by the caller's. */
async function overheads(service: HomeProcess): Promise<{ server: number[]; caller: number[] }> {
  const [server, caller]: number[][] = [[], []];
  for (let index = 0; index < Number(options.sequential); index++) {
    const started = performance.now();
    const response = await service.predict(bodyOf(index));
    await response.arrayBuffer();
    const took = performance.now() - started;
    const timing = parseServerTiming(response.headers.get('server-timing'));
    const model = PHASES.reduce((sum, phase) => sum + (timing[phase] ?? 0), 0);
    server?.push((timing['total'] as number) - model);
    caller?.push(took - model);
  }
  return { server: server as number[], caller: caller as number[] };
}

function quantile(values: readonly number[], part: number): string {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[Math.floor(part * (sorted.length - 1))] as number).toFixed(1);
}

async function serve<T>(args: readonly string[], use: (service: HomeProcess) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'load-'));
  const model = options.model === undefined ? [] : ['--model', options.model];
  const service = new HomeProcess([...model, ...args, '--data', folder], folder, process.cwd());
  try {
    return await use(await service.started());
  } finally {
    await service.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

await serve([], async (service) => {
  const idle = peakMemory(service);
  const { server, caller } = await overheads(service);
  for (const [clock, values] of [
    ["the server's clock", server],
    ["the caller's", caller],
  ] as const)
    console.log(
      `beside the model, by ${clock}: median ${quantile(values, 0.5)} ms, 95 % ${quantile(values, 0.95)} ms`,
    );
  console.log(`memory of the API before any request: ${idle} MB`);
  await burst('warm', service);
});

await serve(['--scale-to-zero', String(IDLE_SECONDS)], async (service) => {
  await until('it sleeps', () => service.endpoints().length === 0);
  await burst('asleep', service);
});
