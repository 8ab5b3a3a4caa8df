import type { DrawQueue } from '../../../functions/endpoint/worker/draw-queue.js';
import { StateWriter } from '../../../functions/endpoint/worker/state-writer.js';
import { work } from '../../../functions/endpoint/worker/work.js';
import { noteReady } from '../../../lib/predictions/wake/wake-endpoint.js';
import type { EndpointStatus } from '../../../lib/schemas/endpoint-status.js';
import type { Process } from '../simulation/process.js';
import { SILENT } from '../simulation/workers.js';
import type { Session, SimulatedInstance } from './instance.js';
import type { PulledWorld } from './world.js';

const BEAT_MS = 15_000;
/** As worker.service has it: starts in an hour, the pause between them, and how long the worker may run at all. */
const STARTS = 3;
const RESTART_MS = 2_000;
export const RUNTIME_MAX_MS = 11 * 3_600_000;
/** SIGTERM, then SIGKILL. Milliseconds. */
const TIMEOUT_STOP_MS = 75_000;
/** Of the phases before `ready`, how much of the time each takes. */
const PHASES = { starting: 0.05, downloading: 0.5, loading: 0.25, warming: 0.2 } as const;

/** How a worker fails to end. `deaf`: it says that it is ready, and receives nothing. `frozen`: not even that. */
export type Hang = 'deaf' | 'frozen';

/** The operating system of one session: systemd around the worker's real loop. */
export async function runMachine(
  world: PulledWorld,
  instance: SimulatedInstance,
  session: Session,
): Promise<void> {
  const { time, scenario } = world;
  const stopping = new AbortController();
  const isOver = () => session.offAt !== undefined;
  let current: Process | undefined;
  instance.onOff = () => current?.die();
  if (!scenario.brokenSystemd) {
    time.at(time.now() + RUNTIME_MAX_MS, () => {
      if (isOver()) return;
      stopping.abort();
      time.at(time.now() + TIMEOUT_STOP_MS, () => !isOver() && instance.powerOff('runtime'));
    });
  }
  for (let starts = 1; starts <= STARTS && !isOver(); starts++) {
    current = world.startProcess(session);
    const end = await Promise.race([
      current.died.then(() => 'died' as const),
      runWorker(world, instance, current, session, stopping.signal).then(() => 'done' as const),
    ]);
    if (end === 'done') return instance.powerOff(stopping.signal.aborted ? 'runtime' : 'idle');
    await time.sleep(RESTART_MS);
  }
  instance.powerOff('crashes');
}

async function runWorker(
  world: PulledWorld,
  instance: SimulatedInstance,
  process: Process,
  session: Session,
  stopping: AbortSignal,
): Promise<void> {
  const { time, records, scenario } = world;
  const ask = world.slowly(process);
  const status = { state: 'starting' as EndpointStatus['state'] };
  const writer = new StateWriter({
    records: {
      read: (key) => ask(() => records.read(key)),
      write: (key, value, condition) => ask(() => records.write(key, value, condition)),
    },
    worker: { worker: instance.id, started_at: new Date(time.now()).toISOString() },
    status: () => statusOf(status.state),
    onTrouble: () => undefined,
    now: time.now,
  });
  let isLying = false;
  const state = {
    lieDown: () => {
      isLying = true;
      return scenario.sabotage === 'says stopping too late' ? Promise.resolve(true) : writer.lieDown();
    },
    getUp: () => {
      isLying = false;
      writer.getUp();
    },
  };
  const beat = () => {
    if (!process.alive || session.offAt !== undefined) return;
    if (!isLying && world.hang !== 'frozen') void writer.tell();
    time.at(time.now() + BEAT_MS, beat);
  };
  beat();
  const loadMs = world.random.between(...(scenario.loadMs ?? [8_000, 15_000]));
  for (const [phase, share] of Object.entries(PHASES)) {
    status.state = phase as keyof typeof PHASES;
    void writer.tell();
    await process.sleep(loadMs * share);
  }
  status.state = 'ready';
  void writer.tell();
  session.readyAt = time.now();
  world.lives++;
  const services = world.workerServices(process, session);
  void noteReady(services, true);
  const queue = drawQueue(world, process, session, stopping);
  const telemetry = { ...SILENT, flush: () => undefined };
  await work({ queue, services, telemetry, state, idleMs: world.idleMs, stopping });
  if (scenario.sabotage === 'says stopping too late') await writer.lieDown();
  if (stopping.aborted) await writer.lieDown();
  await writer.close();
}

function statusOf(state: EndpointStatus['state']): EndpointStatus {
  return { state, bytes_done: 1, bytes_total: 2, provider: 'cuda', model: 'simulated', seconds: {} };
}

/** The worker's own face of the queue. A poll ends with its process. */
function drawQueue(world: PulledWorld, process: Process, session: Session, stopping: AbortSignal): DrawQueue {
  const { time, drawing } = world;
  const end = new AbortController();
  stopping.addEventListener('abort', () => end.abort());
  void process.died.then(() => end.abort());
  const queue: Pick<DrawQueue, 'receive' | 'done' | 'again' | 'hold'> = {
    receive: async (waitSeconds) => {
      if (world.hang) return new Promise(() => undefined);
      const delivery = await process.step(() => drawing.receiveWithin(waitSeconds * 1000, end.signal));
      return delivery && { ...delivery, id: 'message', receipt: '' };
    },
    done: (delivery) =>
      process.step(() => {
        drawing.delete(delivery as never);
        session.workedAt = time.now();
      }),
    again: (delivery, seconds) => process.step(() => drawing.changeVisibility(delivery as never, seconds)),
    hold: (delivery) => {
      let isHeld = true;
      const extend = () => {
        if (!isHeld || !process.alive) return;
        drawing.changeVisibility(delivery as never, 60);
        time.at(time.now() + 20_000, extend);
      };
      time.at(time.now() + 20_000, extend);
      return () => {
        isHeld = false;
      };
    },
  };
  return queue as DrawQueue;
}
