import type { Header, Parameter, Reference } from './openapi-types.js';

const seconds = { type: 'integer', minimum: 1 };

/** The headers of answers. */
export const HEADERS = {
  'x-request-id': {
    description: "Names the request in the service's log; the caller's own where it sent one.",
    schema: { type: 'string' },
    example: '7c0d6f0e-5f0f-4f5e-9d65-0c1b9c1f8b51',
  },
  'Server-Timing': {
    description:
      'Durations in milliseconds: `queue`, `load`, `text_encoder`, `encoder`, `unet`, `decoder`, `encode` of the endpoint, as ' +
      'far as they are known, and the `total` of this service. `text_encoder` is 0 where what it made of a recent prompt ' +
      'was taken again.',
    schema: { type: 'string' },
    example:
      'queue;dur=0.4, text_encoder;dur=4.2, unet;dur=61.0, decoder;dur=83.5, encode;dur=9.1, total;dur=171.9',
  },
  Location: {
    description: 'Where the prediction is found.',
    schema: { type: 'string', format: 'uri' },
    required: true,
    example: 'https://example.com/prod/predictions/mfrggzdfmztwq2lknnwg23tpoaytemzu',
  },
  'Location-Replayed': {
    description: 'With `idempotency-replayed`: where the prediction is found.',
    schema: { type: 'string', format: 'uri' },
    example: 'https://example.com/prod/predictions/mfrggzdfmztwq2lknnwg23tpoaytemzu',
  },
  'Retry-After': {
    description: 'Seconds after which it makes sense to ask again, from what is known of recent wakes.',
    schema: seconds,
    required: true,
    example: 30,
  },
  'Retry-After-Queued': {
    description: 'Only while it is queued: seconds after which it makes sense to ask again.',
    schema: seconds,
    example: 30,
  },
  'Preference-Applied': {
    description:
      'What of `Prefer`, or of `wait`, was followed: no wait where the answer came at once because a wake takes longer than that.',
    schema: { type: 'string' },
    example: 'wait=10',
  },
  'idempotency-replayed': {
    description:
      '`true`: it was drawn, or had failed, for an earlier request with the same `Idempotency-Key`.',
    schema: { type: 'string', const: 'true' },
    example: 'true',
  },
  'x-seed': {
    description: 'The seed of a picture that comes as bytes.',
    schema: { type: 'string', pattern: '^\\d{1,16}$' },
    example: '42',
  },
  'x-warnings': {
    description:
      'The `warnings` of a picture that comes as bytes, where there are some: a JSON array in ASCII.',
    schema: { type: 'string' },
    example: '["sd-turbo-demo does not know the word \\"horse\\""]',
  },
  'Accept-Encoding': {
    description: 'Where the body was compressed: that it must not be.',
    schema: { type: 'string', const: 'identity' },
    example: 'identity',
  },
  'WWW-Authenticate': {
    description: 'How a key is sent.',
    schema: { type: 'string' },
    example: 'Api-Key',
  },
} satisfies Record<string, Header>;

type HeaderName = keyof typeof HEADERS;

/** The name under which a header is sent. */
export function sentName(name: string): string {
  return name.replace(/-(Queued|Replayed)$/, '');
}

/** References by the names under which they are sent. */
export function headerRefs(...names: HeaderName[]): Record<string, Reference> {
  const all: HeaderName[] = ['x-request-id', 'Server-Timing', ...names];
  return Object.fromEntries(all.map((name) => [sentName(name), { $ref: `#/components/headers/${name}` }]));
}

export const PREFER: Parameter = {
  name: 'Prefer',
  in: 'header',
  required: false,
  description:
    '`wait=N`: wait up to N seconds, at most 25. `respond-async`: do not wait. What is not understood is ignored. ' +
    'RFC 7240.',
  schema: { type: 'string' },
  example: 'wait=10',
};

export const WAIT: Parameter = {
  name: 'wait',
  in: 'query',
  required: false,
  description:
    'As `Prefer: wait=N`, which outdoes it, for whoever cannot set a header. At most 25 seconds are waited.',
  schema: { type: 'integer', minimum: 0 },
  example: 10,
};

export const IDEMPOTENCY_KEY: Parameter = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description:
    'The same key with the same body gets the same prediction, however often it is sent; with another body it is ' +
    'refused. Results are kept for some days.',
  schema: { type: 'string', pattern: '^[\\x21-\\x7e]{1,255}$' },
  example: 'order-1729',
};
