type Tell = (what: string, error: unknown) => void;

/** Before the same is told again; twice as long each time, as long as it lasts. Milliseconds. */
const FIRST_PAUSE_MS = 60_000;
const LONGEST_PAUSE_MS = 3_600_000;
/** Kinds of trouble that are known apart. */
const MAX_KNOWN = 1_000;

interface Told {
  /** Not told again before. Milliseconds since 1970. */
  readonly quietUntil: number;
  readonly pause: number;
}

/**
 * Tells of trouble once where the same error comes again and again, as from every prediction that waits for a full
 * disk, and then ever more rarely.
 *
 * @param now milliseconds since 1970
 */
export function tellSparingly(tell: Tell, now: () => number = Date.now): Tell {
  const known = new Map<string, Told>();
  return (what, error) => {
    const reason = error instanceof Error ? error.message : what;
    const told = known.get(reason);
    const time = now();
    if (told && time < told.quietUntil) return;
    // After a longer silence it is another trouble.
    const lasts = told !== undefined && time < told.quietUntil + told.pause;
    const pause = lasts ? Math.min(LONGEST_PAUSE_MS, told.pause * 2) : FIRST_PAUSE_MS;
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(reason, { quietUntil: time + pause, pause });
    tell(what, error);
  };
}
