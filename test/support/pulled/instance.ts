import type { Random } from '../simulation/random.js';
import type { VirtualTime } from '../simulation/virtual-time.js';

/** From one start to the next stop. Milliseconds of virtual time. */
export interface Session {
  readonly startedAt: number;
  /** When EC2 calls it running, and bills it. */
  runningAt: number;
  /** When its worker could draw, the last one of this session. */
  readyAt?: number;
  /** When the last message was done with. */
  workedAt?: number;
  /** When the machine was told to power off, and why. */
  offAt?: number;
  cause?: 'idle' | 'crashes' | 'runtime' | 'alarm';
  /** When EC2 calls it stopping, and bills it no more. */
  stoppingAt?: number;
  stoppedAt?: number;
}

export interface InstanceProps {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly id: string;
  /** From the start to the worker's first breath. Milliseconds. */
  readonly bootMs: readonly [least: number, most: number];
  /** From the power-off to `stopped`. Milliseconds. */
  readonly stopMs: readonly [least: number, most: number];
  readonly type: string;
  /** The operating system is up. */
  readonly onBoot: (session: Session) => void;
  readonly onStopped: () => void;
}

/** From `pending` to `running`. Milliseconds. */
const PENDING_MS = [3_000, 10_000] as const;

/** One instance as EC2 keeps it. */
export class SimulatedInstance {
  readonly id: string;
  type: string;
  state: 'stopped' | 'pending' | 'running' | 'stopping' = 'stopped';
  readonly sessions: Session[] = [];
  /** What runs on it ends with it. */
  onOff: () => void = () => undefined;
  readonly #props: InstanceProps;

  constructor(props: InstanceProps) {
    this.id = props.id;
    this.type = props.type;
    this.#props = props;
  }

  get session(): Session | undefined {
    return this.sessions.at(-1);
  }

  start(): void {
    const { time, random, bootMs, onBoot } = this.#props;
    this.state = 'pending';
    const now = time.now();
    const boot = random.between(...bootMs);
    const runningAt = now + Math.min(boot, random.between(...PENDING_MS));
    const session: Session = { startedAt: now, runningAt };
    this.sessions.push(session);
    time.at(runningAt, () => {
      if (this.state === 'pending') this.state = 'running';
    });
    time.at(now + boot, () => session.offAt === undefined && onBoot(session));
  }

  /** By its own operating system, or by EC2: the first part of it still looks like running. */
  powerOff(cause: NonNullable<Session['cause']>): void {
    const { time, random, stopMs, onStopped } = this.#props;
    const { session } = this;
    if (!session || session.offAt !== undefined) return;
    session.offAt = time.now();
    session.cause = cause;
    this.onOff();
    const took = random.between(...stopMs);
    const byItself = cause === 'alarm' ? 0 : took * random.between(0, 0.5);
    time.at(session.offAt + byItself, () => {
      this.state = 'stopping';
      session.stoppingAt = time.now();
    });
    time.at(session.offAt + took, () => {
      this.state = 'stopped';
      session.stoppedAt = time.now();
      onStopped();
    });
  }
}
