import type { Death } from '../support/simulation/process.js';
import { Random } from '../support/simulation/random.js';
import type { Scenario } from '../support/simulation/world.js';

/** What one run must show, so that a fault that never happened is not counted as survived. */
export type Seen = 'failed' | 'faults' | 'deaths' | 'coldAnswers' | 'givenUp' | 'extraDraws' | 'sleeps';

export interface FaultCase {
  readonly name: string;
  readonly scenario: (seed: number) => Scenario;
  readonly seen: Seen;
}

const WARM = { wakeMs: 60_000, startsReady: true };
const ASLEEP = { wakeMs: 100_000 };
/** Sleeps again and again while clients come. */
const DROWSY = { endpoint: { wakeMs: 40_000, idleMs: 60_000 }, spreadMs: 600_000 };
const NEVER_WAKES = { wakeMs: Number.POSITIVE_INFINITY };
/** A run of the worker takes 6 to 10 steps. */
const LAST_STEP = 16;

/** Every step in turn, before and after it took place. */
function deathAt(seed: number): Death {
  return { step: ((seed >> 1) % LAST_STEP) + 1, moment: seed % 2 === 0 ? 'before' : 'after' };
}

/** Asleep at first in every other run. */
function warmOrNot(seed: number) {
  return { ...ASLEEP, startsReady: seed % 2 === 0 };
}

/** Each fault by itself. */
export const FAULT_CASES: readonly FaultCase[] = [
  {
    name: 'cold for 1 to 40 receives',
    scenario: (seed) => ({ clients: 6, endpoint: { wakeMs: ((seed % 40) + 1) * 20_000 - 5_000 } }),
    seen: 'coldAnswers',
  },
  { name: 'sleeps between requests', scenario: () => DROWSY, seen: 'sleeps' },
  { name: 'never wakes', scenario: () => ({ clients: 2, endpoint: NEVER_WAKES }), seen: 'givenUp' },
  {
    name: '424: the model fails',
    scenario: () => ({ endpoint: { ...WARM, mishaps: { model: 0.3 } } }),
    seen: 'faults',
  },
  {
    name: '424: the model fails for ever on some prompts',
    scenario: () => ({ endpoint: WARM, poison: 0.5 }),
    seen: 'failed',
  },
  {
    name: '424: the container refuses',
    scenario: () => ({ endpoint: { ...WARM, mishaps: { refused: 0.2 } } }),
    seen: 'faults',
  },
  {
    name: '503, 429: busy',
    scenario: () => ({ endpoint: { ...WARM, mishaps: { busy: 0.6 } } }),
    seen: 'faults',
  },
  {
    name: 'ThrottlingException',
    scenario: () => ({ endpoint: { ...WARM, mishaps: { throttled: 0.6 } } }),
    seen: 'faults',
  },
  {
    name: '500: nothing that is known',
    scenario: () => ({ endpoint: { ...WARM, mishaps: { unknown: 0.3 } } }),
    seen: 'faults',
  },
  {
    name: 'connection reset, before and after the picture',
    scenario: () => ({ endpoint: { ...WARM, mishaps: { 'reset-before': 0.2, 'reset-after': 0.2 } } }),
    seen: 'faults',
  },
  {
    name: 'timeout, without and after the picture',
    scenario: () => ({ endpoint: { ...WARM, mishaps: { timeout: 0.2, 'timeout-after': 0.3 } } }),
    seen: 'faults',
  },
  {
    name: 'S3 write refused',
    scenario: (seed) => ({ endpoint: warmOrNot(seed), trouble: { write: { refused: 0.3 } } }),
    seen: 'faults',
  },
  {
    name: 'S3 write taken and its answer lost',
    scenario: (seed) => ({
      endpoint: warmOrNot(seed),
      trouble: { write: { answerLost: 0.2, repeated: 0.2 } },
    }),
    seen: 'faults',
  },
  {
    name: 'S3 read refused',
    scenario: (seed) => ({ endpoint: warmOrNot(seed), trouble: { read: { refused: 0.15 } } }),
    seen: 'faults',
  },
  {
    name: 'SQS refuses, or its answer is lost',
    scenario: (seed) => ({
      endpoint: warmOrNot(seed),
      trouble: {
        send: { refused: 0.2, answerLost: 0.2, repeated: 0.2 },
        receipt: { refused: 0.2, answerLost: 0.1 },
      },
    }),
    seen: 'faults',
  },
  {
    name: 'the wake is refused, or its log',
    scenario: () => ({
      ...DROWSY,
      trouble: {
        wake: { refused: 0.3, answerLost: 0.3 },
        log: { refused: 0.1, answerLost: 0.1, repeated: 0.1 },
        state: { refused: 0.3 },
      },
    }),
    seen: 'faults',
  },
  {
    name: 'duplicate deliveries',
    scenario: () => ({ endpoint: ASLEEP, duplicates: 0.5 }),
    seen: 'extraDraws',
  },
  {
    name: 'duplicate POSTs in parallel',
    scenario: () => ({ ...DROWSY, copies: 1 }),
    seen: 'sleeps',
  },
  {
    name: 'worker killed at each step',
    scenario: (seed) => ({
      endpoint: ASLEEP,
      workers: 2,
      deaths: { worker: { chance: 1, most: 4, death: deathAt(seed) } },
    }),
    seen: 'deaths',
  },
  {
    name: 'API killed at each step',
    scenario: (seed) => ({
      endpoint: warmOrNot(seed >> 5),
      deaths: { api: { chance: 1, most: 6, death: deathAt(seed) } },
    }),
    seen: 'deaths',
  },
  {
    name: "the dead letters' worker killed at each step",
    scenario: (seed) => ({
      clients: 2,
      endpoint: NEVER_WAKES,
      deaths: { undertaker: { chance: 1, most: 2, death: deathAt(seed) } },
    }),
    seen: 'givenUp',
  },
  {
    name: 'messages that are none of ours',
    scenario: () => ({ endpoint: WARM, junk: 1 }),
    seen: 'givenUp',
  },
];

/** Everything at once, as chance has it. */
export function mixture(seed: number): Scenario {
  const random = new Random(seed);
  const some = (most: number) => (random.chance(0.5) ? random.between(0, most) : 0);
  const chances = (most: number) => ({ refused: some(most), answerLost: some(most), repeated: some(most) });
  const deaths = (most: number) => ({ chance: some(0.6), most });
  return {
    endpoint: {
      wakeMs: random.between(10_000, 300_000),
      startsReady: random.chance(0.5),
      idleMs: random.pick([60_000, 180_000, Number.POSITIVE_INFINITY]),
      ...(random.chance(0.3) ? { alarmMs: 90_000 } : {}),
      queueLimit: random.integer(1, 8),
      drawMs: random.pick([
        [150, 900],
        [2_000, 8_000],
      ]),
      mishaps: {
        model: some(0.1),
        unknown: some(0.1),
        refused: some(0.02),
        busy: some(0.2),
        throttled: some(0.2),
        timeout: some(0.05),
        'timeout-after': some(0.05),
        'reset-before': some(0.1),
        'reset-after': some(0.1),
      },
      mostFailures: random.pick([2, 100]),
    },
    trouble: {
      write: chances(0.15),
      read: chances(0.08),
      send: chances(0.1),
      receipt: chances(0.1),
      log: chances(0.1),
      wake: chances(0.2),
      state: chances(0.2),
    },
    deaths: { worker: deaths(5), api: deaths(5), undertaker: deaths(2) },
    duplicates: some(0.2),
    deafWebhooks: some(0.3),
    copies: some(0.8),
    poison: some(0.2),
    junk: some(0.5),
    spreadMs: random.pick([1_000, 120_000, 600_000]),
    workers: random.integer(1, 4),
  };
}
