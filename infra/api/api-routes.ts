/** A route of the service that the gateway lets through. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE' | 'OPTIONS';
  readonly path: string;
  /** Whether it takes an API key, and counts in the usage plan. */
  readonly key: boolean;
}

export const ROUTES: readonly Route[] = [
  { method: 'GET', path: '/', key: false },
  { method: 'GET', path: '/docs', key: false },
  { method: 'GET', path: '/openapi.json', key: false },
  { method: 'GET', path: '/favicon.ico', key: false },
  { method: 'GET', path: '/health', key: false },
  { method: 'POST', path: '/predict', key: true },
  { method: 'POST', path: '/warmup', key: true },
  { method: 'GET', path: '/predictions', key: true },
  { method: 'GET', path: '/predictions/{id}', key: true },
  { method: 'DELETE', path: '/predictions/{id}', key: true },
  { method: 'POST', path: '/v1/images/generations', key: true },
  { method: 'POST', path: '/v1/images/edits', key: true },
  { method: 'GET', path: '/v1/models', key: true },
  { method: 'GET', path: '/v1/models/{id}', key: true },
];

/**
 * What browsers ask before a page of another origin does, and without its key. The function answers, so that one list of
 * origins stands in one place; a mock integration could not even read the request where every body is binary.
 */
export const PREFLIGHTS: readonly Route[] = [...new Set(ROUTES.map(({ path }) => path))].map((path) => ({
  method: 'OPTIONS',
  path,
  key: false,
}));

/**
 * The gateway takes an answer's base64 apart only where the first type of `Accept` is among these, and which picture
 * goes out may be settled by any of them: so all are. Then every body comes to the function in base64.
 */
export const BINARY_MEDIA_TYPES = ['*/*'];
