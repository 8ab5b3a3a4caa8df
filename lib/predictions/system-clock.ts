import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from './services.js';

export const SYSTEM_CLOCK: Clock = {
  now: Date.now,
  sleep: (ms, signal) => wait(ms, undefined, signal ? { signal } : {}).catch(() => undefined),
  timeout: (ms) => AbortSignal.timeout(ms),
  random: Math.random,
};
