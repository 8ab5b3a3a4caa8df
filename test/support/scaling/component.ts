/** Seconds: from what is expected with AWS's container caching to the longest that was reported without it. */
const WAKE = [120, 570] as const;
/** With an instance that is still there. */
const WAKE_ON_INSTANCE = [60, 150] as const;
const RELEASE = [600, 720] as const;
const SCALE_IN = 20;

export interface SimulatedComponentProps {
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Whether a change is refused while another is on its way. AWS does not say. */
  readonly exclusive: boolean;
  /** Seconds, from and to. @default 120 to 570 */
  readonly wake?: readonly [number, number];
}

/** SageMaker's side: copies that come late and instances that go late. Seconds throughout. */
export class SimulatedComponent {
  /** What is asked for. */
  desired = 0;
  /** What answers. */
  copies = 0;
  /** What is billed. */
  instances = 0;
  billed = 0;
  #now = 0;
  #busyUntil = 0;
  #events: { readonly time: number; readonly run: () => void }[] = [];
  readonly #props: SimulatedComponentProps;

  constructor(props: SimulatedComponentProps) {
    this.#props = props;
  }

  /** @throws Error while another change is on its way */
  setDesired(count: number, now: number): void {
    if (this.#props.exclusive && now < this.#busyUntil) throw new Error('the component is being updated');
    if (count === this.desired) return;
    const wasLess = this.desired < count;
    this.desired = count;
    if (!wasLess) {
      this.copies = Math.min(this.copies, count);
      this.#busyUntil = now + SCALE_IN;
      this.#at(now + this.#between(RELEASE), () => {
        this.instances = Math.min(this.instances, this.desired);
      });
      return;
    }
    const isThere = this.instances >= count;
    this.instances = Math.max(this.instances, count);
    this.#busyUntil = now + this.#between(isThere ? WAKE_ON_INSTANCE : (this.#props.wake ?? WAKE));
    // Fewer may be wanted by then.
    this.#at(this.#busyUntil, () => {
      this.copies = Math.max(this.copies, Math.min(count, this.desired));
    });
  }

  /** Lets time pass. */
  advance(now: number): void {
    this.billed += this.instances * (now - this.#now);
    this.#now = now;
    const due = this.#events.filter(({ time }) => time <= now);
    if (due.length === 0) return;
    this.#events = this.#events.filter(({ time }) => time > now);
    for (const { run } of due) run();
  }

  get nextEvent(): number {
    return Math.min(Number.POSITIVE_INFINITY, ...this.#events.map(({ time }) => time));
  }

  #at(time: number, run: () => void): void {
    this.#events.push({ time, run });
  }

  #between([least, most]: readonly [number, number]): number {
    return Math.round(least + this.#props.random() * (most - least));
  }
}
