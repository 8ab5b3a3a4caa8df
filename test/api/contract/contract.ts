import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { healthSchema } from '../../../lib/schemas/health.js';
import { addresses } from './addresses.js';
import { canceling } from './canceling.js';
import { events } from './events.js';
import { idempotency } from './idempotency.js';
import { listing } from './listing.js';
import { pictures } from './pictures.js';
import { predictions } from './predictions.js';
import { refusals } from './refusals.js';
import { asker, MARKER, type Setting } from './setting.js';

/** What the service promises, whichever way it runs. */
export function contract(name: string, start: () => Promise<Setting>): void {
  describe(name, () => {
    let setting: Setting;
    beforeAll(async () => {
      setting = await start();
    });
    afterAll(() => setting?.stop());

    test('GET /health needs no key', async () => {
      const response = await asker(setting)('GET', '/health', { credentials: {} });
      expect(response.status).toBe(200);
      expect(healthSchema.parse(await response.json()).state).toBe('ready');
      expect(response.headers.get('cache-control')).toBe('no-store');
    });

    test('a request id is repeated where it is harmless', async () => {
      const id = async (given: string) =>
        (await asker(setting)('GET', '/health', { headers: { 'x-request-id': given } })).headers.get(
          'x-request-id',
        );
      expect(await id('abc-123')).toBe('abc-123');
      expect(await id('a b{"x"}')).toMatch(/^[0-9a-f-]{36}$/);
    });

    pictures(() => setting);
    refusals(() => setting);
    predictions(() => setting);
    idempotency(() => setting);
    addresses(() => setting);
    listing(() => setting);
    canceling(() => setting);
    events(() => setting);

    // The last one: it looks at what all the others have left behind.
    test('no prompt, key or private header is in the log', () => {
      const output = setting.output();
      expect(output).toContain('"request"');
      expect(output).not.toContain(MARKER);
      expect(output).not.toContain('a tree in a field');
    });
  });
}
