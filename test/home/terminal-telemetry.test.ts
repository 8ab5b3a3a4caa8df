import { expect, test } from 'vitest';
import { terminalTelemetry } from '../../functions/home/terminal-telemetry.js';

function told(verbose: boolean): string[] {
  const lines: string[] = [];
  const telemetry = terminalTelemetry({ verbose, line: (text) => lines.push(text) });
  telemetry.notice('the endpoint is ready');
  telemetry.answered('GET /health 200 1 ms an-id');
  telemetry.log('info', 'request', { request_id: 'an-id', status: 200 });
  telemetry.log('error', 'a request failed', { request_id: 'an-id', error: 'Error: why' });
  telemetry.log('warn', 'a webhook could not be delivered', { reason: 'gone' });
  telemetry.relay('{"level":"info","message":"invocation"}');
  telemetry.relay('    at somewhere');
  telemetry.relay('{ no JSON');
  return lines;
}

test('for a person: a time, and the request, and nothing that is not asked for', () => {
  const lines = told(false).map((line) => {
    const [time, ...words] = line.split(' ');
    expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    return words.join(' ');
  });
  expect(lines).toEqual([
    'the endpoint is ready',
    'GET /health 200 1 ms an-id',
    'error: a request failed: Error: why (request an-id)',
    'warn: a webhook could not be delivered: gone',
  ]);
});

test('verbose: every line is an object, and nothing comes twice', () => {
  const entries = told(true).map((line) => JSON.parse(line));
  expect(entries.map(({ message }) => message)).toEqual([
    'the endpoint is ready',
    'request',
    'a request failed',
    'a webhook could not be delivered',
    'invocation',
    'the endpoint has written',
    'the endpoint has written',
  ]);
  expect(entries.at(-2)).toMatchObject({ level: 'warn', text: '    at somewhere' });
});
