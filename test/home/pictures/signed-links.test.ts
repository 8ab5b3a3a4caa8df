import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { linkSecret } from '../../../functions/home/pictures/link-secret.js';
import { SignedLinks } from '../../../functions/home/pictures/signed-links.js';
import { newPredictionId } from '../../../lib/predictions/records/prediction-id.js';

const folder = mkdtempSync(join(tmpdir(), 'links-'));
afterAll(() => rmSync(folder, { recursive: true }));

const NOW = Date.UTC(2026, 10, 29, 12);
const ID = newPredictionId();
const OTHER = newPredictionId();

function links(secret = Buffer.alloc(32, 7), time = { now: NOW }) {
  return {
    time,
    own: new SignedLinks({ secret, ownUrl: () => 'http://localhost:8000', now: () => time.now }),
  };
}

/** What the route makes of an address. */
function follow(links: SignedLinks, url: string) {
  const { pathname, searchParams } = new URL(url);
  const [, , id = '', name = ''] = pathname.split('/');
  return links.read(id, name, searchParams);
}

const statusOf = (what: () => unknown): number | undefined => {
  try {
    what();
    return undefined;
  } catch (error) {
    return (error as { status: number }).status;
  }
};

describe('an address', () => {
  test('leads to its picture for an hour, wherever the service is reached', async () => {
    const { own, time } = links();
    const made = await own.make({ id: ID, names: ['0.png', '1.webp'] }, 'http://my.house:9000');
    expect(made.urls.map((url) => new URL(url).origin)).toEqual([
      'http://my.house:9000',
      'http://my.house:9000',
    ]);
    expect(made.expiresAt).toBe(NOW + 3_600_000);
    expect(made.urls.map((url) => follow(own, url))).toEqual([
      { id: ID, name: '0.png', secondsLeft: 3600 },
      { id: ID, name: '1.webp', secondsLeft: 3600 },
    ]);
    time.now += 3_600_000;
    expect(follow(own, made.urls[0] as string).secondsLeft).toBe(0);
    time.now += 1_000;
    expect(statusOf(() => follow(own, made.urls[0] as string))).toBe(410);
  });

  test("where nobody asks, it begins with the service's own", async () => {
    const { urls } = await links().own.make({ id: ID, names: ['0.png'] });
    expect(urls[0]).toMatch(/^http:\/\/localhost:8000\/pictures\//);
  });

  test('of another secret, and each with one thing changed, is refused', async () => {
    const { own } = links();
    const { urls } = await own.make({ id: ID, names: ['0.png'] });
    const url = urls[0] as string;
    const signature = new URL(url).searchParams.get('signature') as string;
    const changed = [
      url.replace(ID, OTHER),
      url.replace('0.png', '1.png'),
      url.replace('0.png', '0.jpeg'),
      url.replace(/expires=(\d+)/, (_, seconds) => `expires=${Number(seconds) + 1}`),
      url.replace(/expires=\d+/, 'expires=1e99'),
      url.replace(/expires=\d+&/, ''),
      url.replace(signature, ''),
      url.replace(signature, signature.slice(0, -2)),
      url.replace(signature, `${signature}AA`),
      url.replace(signature, `${signature[0] === 'A' ? 'B' : 'A'}${signature.slice(1)}`),
      url.replace(/&signature.*/, ''),
    ];
    for (const other of changed) {
      expect(other).not.toBe(url);
      expect(
        statusOf(() => follow(own, other)),
        other,
      ).toBe(403);
    }
    expect(statusOf(() => follow(links(Buffer.alloc(32, 8)).own, url))).toBe(403);
  });

  test.each(['../request', 'request.json', 'result.json', '0.png/../../x', '%2e%2e', '4.png', '0.svg', ''])(
    'never leads to %s, not even signed',
    async (name) => {
      const { own } = links();
      const { urls } = await own.make({ id: ID, names: [name] });
      const query = new URL(urls[0] as string).searchParams;
      expect(statusOf(() => own.read(ID, name, query))).toBe(403);
      expect(statusOf(() => own.read('..', '0.png', query))).toBe(403);
    },
  );
});

describe('the secret', () => {
  test("is made once, and nobody else's to read", async () => {
    const first = await linkSecret(folder);
    expect(first).toHaveLength(32);
    expect(await linkSecret(folder)).toEqual(first);
    const file = join(folder, 'links.json');
    if (process.platform !== 'win32') expect(statSync(file).mode & 0o077).toBe(0);
    const other = mkdtempSync(join(folder, 'other-'));
    expect(await linkSecret(other)).not.toEqual(first);
  });

  test.each(['', '{}', '{"secret": "AAAA"}', 'x'.repeat(5_000)])('a file with %j is named', async (text) => {
    const broken = mkdtempSync(join(folder, 'broken-'));
    writeFileSync(join(broken, 'links.json'), text);
    await expect(linkSecret(broken)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: `${join(broken, 'links.json')} cannot be used: delete it, and a new one is made`,
    });
    expect(readFileSync(join(broken, 'links.json'), 'utf8')).toBe(text);
  });
});
