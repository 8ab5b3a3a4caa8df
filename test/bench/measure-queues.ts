import { setTimeout as pause } from 'node:timers/promises';
import type { RgbImage } from '../../lib/image/rgb-image.js';
import { largestDifference } from '../support/graphs/largest-difference.js';
import { readPixels } from '../support/pictures/read-pixels.js';
import { EndpointProcess } from '../support/processes/endpoint-process.js';
import { median, PAUSE_MS, ratio } from './take-turns.js';

/** Values of MAX_BATCH_SIZE that are compared with 1. */
const SIZES = [2, 4] as const;
const PROMPTS = [
  'a red house in the snow at sunset',
  'a blue boat at sea at dawn',
  'a green tree in a field',
  'a house by the sea at night',
  'a yellow tree in autumn',
  'a boat in the fog',
  'a small house in the desert',
  'a tree under the stars',
];
/** Milliseconds; one of each turn. */
interface Times {
  /** From the first of eight requests to the last picture. */
  readonly last: number[];
  /** Of the waits of eight. */
  readonly median: number[];
  /** Of a request that finds nobody. */
  readonly lone: number[];
}

export interface QueueTimes {
  readonly maxBatchSize: number;
  readonly single: Times;
  readonly shared: Times;
  /** Of any pixel from the one that is drawn alone; of 255. */
  readonly difference: number;
}

export interface QueueOptions {
  readonly provider: string;
  /** Of each request. @default 1 */
  readonly steps?: number;
  readonly turns: number;
}

/**
 * Sends eight requests with different prompts at once to two of the container's servers in turns: one draws them one by one,
 * the other some beside each other. A GPU has room for two.
 */
export async function measureQueues(bundle: string, options: QueueOptions): Promise<QueueTimes[]> {
  const measured: QueueTimes[] = [];
  for (const size of SIZES) {
    const servers = [1, size].map((maxBatchSize) =>
      start(bundle, options.provider, maxBatchSize),
    ) as Pair<EndpointProcess>;
    try {
      for (const server of servers) {
        const { state, error } = await server.settled();
        if (state !== 'ready') throw new Error(error);
      }
      measured.push({ maxBatchSize: size, ...(await compare(servers, options)) });
    } finally {
      for (const server of servers) server.signal('SIGKILL');
    }
  }
  return measured;
}

type Pair<T> = [single: T, shared: T];

function start(bundle: string, provider: string, maxBatchSize: number): EndpointProcess {
  return new EndpointProcess([process.execPath, 'dist/functions/endpoint/server.js'], {
    ...{ MODEL_URI: bundle, PROVIDER: provider, PORT: '0', DEADLINE_SECONDS: '3600' },
    MAX_BATCH_SIZE: String(maxBatchSize),
  });
}

async function compare(
  servers: Pair<EndpointProcess>,
  { steps = 1, turns }: QueueOptions,
): Promise<Omit<QueueTimes, 'maxBatchSize'>> {
  const times = servers.map((): Times => ({ last: [], median: [], lone: [] })) as Pair<Times>;
  let difference = 0;
  for (let turn = 0; turn < turns; turn++) {
    const pictures: RgbImage[][] = [];
    // Who begins changes from turn to turn.
    for (const index of turn % 2 === 0 ? [0, 1] : [1, 0]) {
      const [server, { last, median: middle, lone }] = [servers[index], times[index]] as [
        EndpointProcess,
        Times,
      ];
      await pause(PAUSE_MS);
      // Prompts that no turn had before: states of those are kept.
      const drawn = await Promise.all(
        PROMPTS.map((prompt, seed) => draw(server, { prompt: `${prompt}, ${turn}`, seed, num_steps: steps })),
      );
      const waits = drawn.map(({ milliseconds }) => milliseconds);
      last.push(Math.max(...waits));
      middle.push(median(waits));
      pictures[index] = drawn.map(({ image }) => image);
      await pause(PAUSE_MS);
      lone.push(
        (await draw(server, { prompt: `a boat, ${turn}`, seed: turn, num_steps: steps })).milliseconds,
      );
    }
    const [single, shared] = pictures as Pair<RgbImage[]>;
    for (const [at, image] of shared.entries())
      difference = Math.max(difference, await largestDifference(image, single[at] as RgbImage));
  }
  return { single: times[0], shared: times[1], difference };
}

async function draw(server: EndpointProcess, request: object) {
  const started = performance.now();
  const response = await server.draw(request);
  const body = (await response.json()) as { result: string };
  const milliseconds = performance.now() - started;
  return { milliseconds, image: await readPixels(Buffer.from(body.result, 'base64')) };
}

/** The rows of a Markdown table: milliseconds one by one and beside each other, and the ratio of these, with its range. */
export function queueRows(measured: readonly QueueTimes[]): string[][] {
  const cell = ({ single, shared }: QueueTimes, key: keyof Times) => {
    const medians = [single[key], shared[key]].map((times) => median(times).toFixed(0));
    return `${medians.join(', ')}: ${ratio(shared[key], single[key])}`;
  };
  return [
    ['MAX_BATCH_SIZE', 'last of eight', 'median wait', 'a lone request', 'largest difference'],
    ...measured.map((each) => [
      `${each.maxBatchSize}`,
      ...(['last', 'median', 'lone'] as const).map((key) => cell(each, key)),
      `${each.difference}`,
    ]),
  ];
}
