import { randomUUID } from 'node:crypto';

/** What a caller may choose as an id: short, and harmless in a log or a header. */
const REQUEST_ID = /^[\w.-]{1,128}$/;

/**
 * The caller's `x-request-id` where it is fit to be repeated, else a new one. SageMaker hands the container no header
 * of ours but its own custom attributes.
 */
export function requestId(headers: Headers): string {
  const attributes = headers.get('x-amzn-sagemaker-custom-attributes');
  const given = headers.get('x-request-id') ?? /^request-id=(.*)$/.exec(attributes ?? '')?.[1];
  return given !== undefined && REQUEST_ID.test(given) ? given : randomUUID();
}
