import type { Endpoint } from '../../../lib/predictions/endpoint.js';
import type { WakeEntry, WakeLog } from '../../../lib/predictions/wake/wake-log.js';
import { Waker } from '../../../lib/predictions/wake/waker.js';
import type { SimulatedComponent } from './component.js';

export interface WakersProps {
  readonly component: SimulatedComponent;
  /** Seconds. */
  readonly now: () => number;
  /** Whether the wakers' roles let them. */
  readonly allowed: boolean;
  readonly onWake: () => void;
}

/** The API's and the worker's: the service's own code, before the simulated component and a wake log in memory. */
export function makeWakers({ component, now, allowed, onWake }: WakersProps): { api: Waker; worker: Waker } {
  const endpoint: Pick<Endpoint, 'wake' | 'state'> = {
    async wake() {
      if (!allowed) throw new Error('AccessDenied');
      if (component.desired > 0) return;
      component.setDesired(1, now());
      onWake();
    },
    async state() {
      if (component.copies > 0) return { state: 'ready' };
      return { state: component.desired > 0 ? 'waking' : 'asleep' };
    },
  };
  const log = memoryWakeLog();
  const make = () => new Waker({ endpoint, log, now: () => now() * 1000 });
  return { api: make(), worker: make() };
}

function memoryWakeLog(): WakeLog {
  let entry: WakeEntry | undefined;
  return {
    read: async () => entry,
    replace: async (record, version) => {
      if (entry?.version !== version) return false;
      entry = { record, version: String(Number(version ?? 0) + 1) };
      return true;
    },
  };
}
