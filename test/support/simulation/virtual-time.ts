interface Event {
  readonly time: number;
  readonly order: number;
  readonly happen: () => void;
}

/** Time that jumps from one event to the next. What happens in it depends on nothing but the code and the seed. */
export class VirtualTime {
  #now = Date.UTC(2026, 0, 1);
  #count = 0;
  /** A binary heap: no event is before its parent, which stands at half its index. */
  readonly #events: Event[] = [];

  readonly now = (): number => this.#now;

  at(time: number, happen: () => void): void {
    const event = { time: Math.max(time, this.#now), order: this.#count++, happen };
    let index = this.#events.push(event) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(event, this.#events[parent] as Event)) break;
      this.#events[index] = this.#events[parent] as Event;
      index = parent;
    }
    this.#events[index] = event;
  }

  readonly sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const wake = () => {
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      this.at(this.#now + ms, wake);
      signal?.addEventListener('abort', wake);
    });

  readonly timeout = (ms: number): AbortSignal => {
    const controller = new AbortController();
    this.at(this.#now + ms, () => controller.abort('timeout'));
    return controller.signal;
  };

  /** Lets events happen until `main` is settled. */
  async run<T>(main: Promise<T>): Promise<T> {
    let settled = false;
    const settle = () => {
      settled = true;
    };
    main.then(settle, settle);
    for (;;) {
      await nothingGoesOn();
      if (settled) return main;
      const event = this.#pop();
      if (!event) throw new Error('nothing will ever happen any more');
      this.#now = event.time;
      event.happen();
    }
  }

  #pop(): Event | undefined {
    const first = this.#events[0];
    const last = this.#events.pop();
    if (!first || !last || first === last) return first;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      const right = this.#events[child + 1];
      if (right && isBefore(right, this.#events[child] as Event)) child++;
      const next = this.#events[child];
      if (!next || !isBefore(next, last)) break;
      this.#events[index] = next;
      index = child;
    }
    this.#events[index] = last;
    return first;
  }
}

/** Everything that can go on at one moment does so in microtasks, and the next tick comes after all of them. */
function nothingGoesOn(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}

function isBefore(a: Event, b: Event): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order);
}
