import { refusal } from '../shared/problem-response.js';

/** What a caller would like. RFC 7240. */
export interface Preference {
  readonly respondAsync: boolean;
  /** Undefined where nothing fit to be followed was said. Seconds. */
  readonly waitSeconds: number | undefined;
}

/** API Gateway gives up after 29 s; what is left is for storing the request. Seconds. */
const MAX_WAIT_SECONDS = 25;

/**
 * Reads `Prefer: respond-async, wait=10`, and `?wait=10` for whoever cannot set a header, which the header outdoes. What makes
 * no sense in the header is ignored, as the RFC wants it; what stands in the address was meant.
 *
 * @throws RequestRefused for another `wait` in the address
 */
export function readPrefer({ headers, url }: Pick<Request, 'headers' | 'url'>): Preference {
  const preferences = (headers.get('prefer') ?? '')
    .split(',')
    .map((part) => part.split(';', 1)[0]?.trim().toLowerCase() ?? '');
  const asked = new URL(url).searchParams.get('wait') ?? undefined;
  if (asked !== undefined && !/^\d+$/.test(asked))
    throw refusal('wait', `must be whole seconds, of which ${MAX_WAIT_SECONDS} are waited at most`);
  const preferred = preferences.map((text) => /^wait\s*=\s*"?(\d{1,9})"?$/.exec(text)?.[1]).find(Boolean);
  const wait = preferred ?? asked;
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
