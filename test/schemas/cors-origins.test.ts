import { expect, test } from 'vitest';
import { corsOriginsSchema } from '../../lib/schemas/cors-origins.js';

test.each<[string | string[], string[]]>([
  ['https://app.example.com', ['https://app.example.com']],
  ['https://a.test, http://localhost:5173', ['https://a.test', 'http://localhost:5173']],
  [
    ['https://a.test', 'https://b.test'],
    ['https://a.test', 'https://b.test'],
  ],
  ['*', ['*']],
  ['http://127.0.0.1:3000,http://[::1]:3000', ['http://127.0.0.1:3000', 'http://[::1]:3000']],
  // As browsers write them.
  ['HTTPS://App.Example.com:443', ['https://app.example.com']],
  ['http://a.test:80,http://a.test', ['http://a.test']],
  ['https://bücher.example', ['https://xn--bcher-kva.example']],
])('%j', (given, origins) => {
  expect(corsOriginsSchema.parse(given)).toEqual(origins);
});

test.each<[unknown, RegExp]>([
  ['', /^nothing is no origin: it must have a scheme and a host/],
  ['https://a.test,', /^nothing is no origin/],
  ['app.example.com', /^app.example.com is no origin: it must have a scheme and a host, and a port/],
  ['localhost:5173', /must have a scheme/],
  ['//app.example.com', /must have a scheme/],
  ['null', /must have a scheme/],
  ['file:///home/me/page.html', /must have a scheme/],
  ['https://', /must have a scheme/],
  ['https://a b.test', /must have a scheme/],
  ['https://a.test:99999', /must have a scheme/],
  ['https://a.test/', /must end before its path, as https:\/\/a\.test$/],
  ['https://a.test/page?x', /must end before its path, as https:\/\/a\.test$/],
  ['https://a.test?', /must end before its path/],
  ['https://a.test#top', /must end before its path/],
  ['https://me:secret@a.test', /^must have no user or password/],
  ['https://*.example.com', /name each, or \* alone for any/],
  ['https://a.test,*b', /^\*b is no origin: name each/],
  [[], /one origin at least/],
  [['https://a.test', 5], /must be a string/],
  [5, /must be origins such as/],
])('%j is refused', (given, said) => {
  const { error } = corsOriginsSchema.safeParse(given);
  expect(error?.issues.map(({ message }) => message)).toEqual([expect.stringMatching(said)]);
});
