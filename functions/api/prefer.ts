/** What a caller would like. RFC 7240. */
export interface Preference {
  readonly respondAsync: boolean;
  /** Undefined where nothing fit to be followed was said. Seconds. */
  readonly waitSeconds: number | undefined;
}

/** API Gateway gives up after 29 s; what is left is for storing the request. Seconds. */
const MAX_WAIT_SECONDS = 25;

/** Reads `Prefer: respond-async, wait=10`. What makes no sense is ignored, as the RFC wants it. */
export function readPrefer(header: string | null): Preference {
  const preferences = (header ?? '')
    .split(',')
    .map((part) => part.split(';', 1)[0]?.trim().toLowerCase() ?? '');
  const wait = preferences.map((text) => /^wait\s*=\s*"?(\d{1,9})"?$/.exec(text)?.[1]).find(Boolean);
  return {
    respondAsync: preferences.includes('respond-async'),
    waitSeconds: wait === undefined ? undefined : Math.min(MAX_WAIT_SECONDS, Number(wait)),
  };
}

/** The value of `Preference-Applied`; undefined where nothing was preferred. Who is answered at once waits for nothing. */
export function preferenceApplied({ respondAsync, waitSeconds }: Preference): string | undefined {
  if (respondAsync) return 'respond-async';
  return waitSeconds === undefined ? undefined : `wait=${waitSeconds}`;
}
