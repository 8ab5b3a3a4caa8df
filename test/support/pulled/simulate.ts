import { predict } from '../../../lib/predictions/predict.js';
import type { ResultRecord } from '../../../lib/schemas/prediction.js';
import { Process } from '../simulation/process.js';
import { startFunctions } from './functions.js';
import type { Session } from './instance.js';
import { type PulledScenario, PulledWorld, type Told } from './world.js';

const HOUR_MS = 3_600_000;
/** Everything has come to rest so long after the last request. Milliseconds. */
const REST_MS = 14 * HOUR_MS;

/** One request, as the judge sees it. */
export interface Asked {
  readonly id: string;
  readonly askedAt: number;
  told?: Told | undefined;
  result?: ResultRecord | undefined;
  drawnIn?: number | undefined;
}

export interface PulledReport {
  readonly asked: readonly Asked[];
  readonly sessions: readonly Session[];
  readonly crashes: number;
  readonly restarts: number;
  /** When it began. Milliseconds since 1970. */
  readonly start: number;
}

/** Requests when a sleeping worker expects them least: just before, while and after it goes to sleep. */
export function race(scenario: PulledScenario, seed: number, requests = 10): Promise<PulledReport> {
  const quick = {
    idleSeconds: 3,
    bootMs: [1_000, 4_000],
    stopMs: [1_000, 8_000],
    loadMs: [500, 2_000],
  } as const;
  const world = new PulledWorld(
    { ...quick, watched: false, stalls: 0.02, countLateMs: 0, settleMs: 2_000, ...scenario },
    seed,
  );
  return world.time.run(arriveAtBedtime(world, requests));
}

async function arriveAtBedtime(world: PulledWorld, requests: number): Promise<PulledReport> {
  const { time, random, store, scenario } = world;
  const idleMs = (scenario.idleSeconds ?? 60) * 1000;
  const asked: Asked[] = [];
  startFunctions(world, 1);
  for (let i = 0; i < requests; i++) {
    const entry = ask(world, `request ${i}`);
    asked.push(entry.asked);
    if (random.chance(0.2)) continue;
    for (let looks = 0; looks < 600 && store.results.size < asked.length; looks++) await time.sleep(50);
    const worked = Math.max(
      0,
      ...world.sessions.map(({ workedAt = 0, readyAt = 0 }) => Math.max(workedAt, readyAt)),
    );
    const bedtime = Math.max(worked + idleMs, time.now());
    await time.sleep(
      Math.max(0, bedtime + random.between(-1_500, random.pick([4_000, 4_000, 12_000])) - time.now()),
    );
  }
  await rest(world, asked.length, 10 * 60_000);
  return report(world, asked);
}

/** @param arrivals seconds since the beginning, in order */
export function days(
  scenario: PulledScenario,
  seed: number,
  arrivals: readonly number[],
): Promise<PulledReport> {
  const world = new PulledWorld(scenario, seed);
  return world.time.run(live(world, arrivals));
}

async function live(world: PulledWorld, arrivals: readonly number[]): Promise<PulledReport> {
  const { time, start } = world;
  const asked: Asked[] = [];
  startFunctions(world);
  for (const [index, second] of arrivals.entries()) {
    await time.sleep(Math.max(0, start + second * 1000 - time.now()));
    asked.push(ask(world, `request ${index}`).asked);
  }
  await rest(world, asked.length, REST_MS);
  return report(world, asked);
}

function ask(world: PulledWorld, id: string): { readonly asked: Asked } {
  const { time, random } = world;
  const asked: Asked = { id, askedAt: time.now() };
  const services = world.functionServices(new Process(time, random), (told) => {
    asked.told = told;
  });
  const request = {
    prompt: id,
    num_steps: 1,
    num_images: 1,
    output_format: 'png',
    decoder: 'vae',
    seed: 1,
  } as const;
  const waitMs = random.pick([0, 2_000, 20_000]);
  const { signal } = new AbortController();
  // Each has a key: its prediction is found by whoever asks again.
  void predict({ request, caller: 'caller', key: id, waitMs, requestId: id, signal }, services).catch(
    () => undefined,
  );
  return { asked };
}

/** Until every request has come and has its result, nothing is queued and every machine sleeps, or so long. */
async function rest(
  { time, store, drawing, watching, dead, instances }: PulledWorld,
  requests: number,
  most: number,
): Promise<void> {
  const end = time.now() + most;
  const goesOn = () =>
    store.results.size < requests ||
    drawing.size + watching.size + dead.size > 0 ||
    instances.some(({ state }) => state !== 'stopped');
  do await time.sleep(1_000);
  while (goesOn() && time.now() < end);
}

function report(world: PulledWorld, asked: readonly Asked[]): PulledReport {
  const { store, drawnIn, sessions, crashes, restarts, start } = world;
  const byPrompt = new Map([...store.requests.values()].map(({ id, request }) => [request.prompt, id]));
  for (const entry of asked) {
    entry.result = store.results.get(byPrompt.get(entry.id) ?? '');
    entry.drawnIn = drawnIn.get(entry.id);
  }
  return { asked, sessions, crashes, restarts, start };
}
