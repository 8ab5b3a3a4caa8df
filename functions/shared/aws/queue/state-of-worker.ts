import type { EndpointState } from '../../../../lib/predictions/endpoint.js';
import { aboutModel } from '../../../../lib/schemas/model-about.js';
import type { WorkerState } from '../../../../lib/schemas/worker-state.js';

/** What a worker says of itself, in the words of `/health`: a wake is told phase by phase. */
export function stateOfWorker(said: WorkerState): EndpointState {
  const { phase, bytes_done, bytes_total, error } = said;
  const about = aboutModel(said);
  switch (phase) {
    case 'ready':
      return { state: 'ready', ...about };
    case 'stopping':
      return { state: 'asleep' };
    case 'failed':
      return { state: 'failed', detail: error ?? 'the worker has failed; its log says why' };
    case 'starting':
      return { state: 'waking', detail: 'container' };
    case 'downloading':
      return { state: 'waking', detail: `weights ${percent(bytes_done, bytes_total)} %`, ...about };
    case 'loading':
      return { state: 'waking', detail: 'sessions', ...about };
    case 'warming':
      return { state: 'waking', detail: 'warm-up', ...about };
  }
}

function percent(done: number, total: number): number {
  return total === 0 ? 0 : Math.floor((100 * Math.min(done, total)) / total);
}
