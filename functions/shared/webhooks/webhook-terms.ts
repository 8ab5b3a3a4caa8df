// What a receiver of webhooks can count on.

export const USER_AGENT = 'sd-turbo-serverless';
/** For an attempt, its redirects included. The worker has 75 s for a message. Milliseconds. */
export const TOTAL_MS = 10_000;
export const MAX_REDIRECTS = 3;
/** These keep method and body. After the others (301, 302, 303) a client may come with GET: no delivery. */
export const FOLLOWED: ReadonlySet<number> = new Set([307, 308]);
/** The receiver wants no more of it. */
export const GONE = 410;
