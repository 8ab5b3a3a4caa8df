import { ClientError } from '../../../lib/client/client-error.js';

/** What went wrong, in words. */
export interface Failure {
  readonly title: string;
  readonly detail?: string | undefined;
  /** What can be done about it. */
  readonly hint?: string | undefined;
  readonly requestId?: string | undefined;
}

const TITLES: Readonly<Record<number, readonly [title: string, hint?: string]>> = {
  400: ['The service did not take this request'],
  401: ['The service wants an API key', 'Enter it above.'],
  403: ['The service did not take this key', 'Check it, or ask whoever runs the service.'],
  404: ['The picture is gone', 'Generate it again.'],
  410: ['The picture has expired', 'Generate it again.'],
  413: ['The request is too long'],
  422: ['The model cannot do that'],
  429: ['Too many requests', 'Wait a little, then try again.'],
  500: ['The service failed', 'Try again; if it stays so, its log has the reason.'],
  502: ['The model failed on this request', 'Try again, or with another seed.'],
  503: ['The service cannot take it now', 'Try again in a moment.'],
};

/** @param hasKey whether a key was sent */
export function describeFailure(error: unknown, hasKey: boolean): Failure {
  if (!(error instanceof ClientError)) return { title: 'This page failed', detail: String(error) };
  const { status, problem } = error;
  if (status === undefined) {
    return {
      title: 'The service cannot be reached',
      detail: error.message,
      hint: 'Check that it runs, and the network.',
    };
  }
  // A key that is wrong is told as one that may not be used.
  const meant = status === 401 && hasKey ? 403 : status;
  const [title = `The service answered ${status}`, hint] = TITLES[meant] ?? [];
  return { title, detail: problem?.detail, hint, requestId: problem?.requestId };
}
