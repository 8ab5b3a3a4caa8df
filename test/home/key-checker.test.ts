import { expect, test } from 'vitest';
import { keyChecker } from '../../functions/home/key-checker.js';
import { ProblemError } from '../../functions/shared/problem-response.js';

const check = keyChecker({
  admit: async (key) => {
    if (key !== 'right-key') throw new ProblemError(401, 'this key is not known');
    return 'alice';
  },
});
const answerTo = (headers: Record<string, string>) =>
  check(new Request('http://localhost/predict', { headers })).catch(({ status }) => status);

test.each([
  [{ 'x-api-key': 'right-key' }, 'key alice'],
  [{ authorization: 'Api-Key right-key' }, 'key alice'],
  [{ authorization: 'api-key  right-key' }, 'key alice'],
  [{ authorization: 'Bearer right-key' }, 'key alice'],
  [{}, 401],
  [{ 'x-api-key': '' }, 401],
  [{ authorization: 'Basic right-key' }, 401],
  [{ authorization: 'right-key' }, 401],
  [{ authorization: 'Bearer' }, 401],
  [{ 'x-api-key': 'right-ke' }, 401],
  [{ 'x-api-key': 'right-key2' }, 401],
  [{ 'x-api-key': 'RIGHT-KEY' }, 401],
  [{ authorization: 'Bearer wrong' }, 401],
])('%j: %s', async (headers, answer) => {
  expect(await answerTo(headers as Record<string, string>)).toBe(answer);
});
