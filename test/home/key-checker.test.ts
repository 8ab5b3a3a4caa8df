import { expect, test } from 'vitest';
import { keyChecker } from '../../functions/home/key-checker.js';

const check = keyChecker('right-key');
const statusOf = (headers: Record<string, string>) => {
  try {
    check(new Request('http://localhost/predict', { headers }));
    return 200;
  } catch (error) {
    return (error as { status: number }).status;
  }
};

test.each([
  [{ 'x-api-key': 'right-key' }, 200],
  [{ authorization: 'Api-Key right-key' }, 200],
  [{ authorization: 'api-key  right-key' }, 200],
  [{ authorization: 'Bearer right-key' }, 200],
  [{}, 401],
  [{ 'x-api-key': '' }, 401],
  [{ authorization: 'Basic right-key' }, 401],
  [{ authorization: 'right-key' }, 401],
  [{ authorization: 'Bearer' }, 401],
  [{ 'x-api-key': 'right-ke' }, 401],
  [{ 'x-api-key': 'right-key2' }, 401],
  [{ 'x-api-key': 'RIGHT-KEY' }, 401],
  [{ authorization: 'Bearer wrong' }, 401],
])('%j: %d', (headers, status) => {
  expect(statusOf(headers as Record<string, string>)).toBe(status);
});
