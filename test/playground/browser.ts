import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const CANDIDATES = [
  process.env['CHROMIUM'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];

/** Debian's Chromium, or another one that `CHROMIUM` names. */
export const CHROMIUM = CANDIDATES.find((path) => path !== undefined && existsSync(path));

if (!CHROMIUM)
  console.log(
    'there is no Chromium: the tests of the page in a browser are skipped (apt-get install chromium)',
  );

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export function launch(): Promise<Browser> {
  // The sandbox needs what containers and root do not have.
  return chromium.launch({ executablePath: CHROMIUM as string, args: ['--no-sandbox'] });
}

export interface Visit {
  readonly page: Page;
  /** What the browser complained of, but for the statuses that the page speaks of itself. */
  readonly complaints: string[];
}

/** A visitor with a browser profile of its own. */
export async function visit(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const complaints: string[] = [];
  page.on('pageerror', ({ message }) => complaints.push(message));
  page.on('console', (message) => {
    const isStatus = /^Failed to load resource: the server responded with a status of 4/.test(message.text());
    if (message.type() === 'error' && !isStatus) complaints.push(message.text());
  });
  await page.goto(url);
  return { page, complaints };
}

/** What axe-core finds wrong with the page as it is now, one line each. */
export async function violations(page: Page): Promise<string[]> {
  // Evaluated from outside: the page's own policy lets no script in.
  await page.evaluate(AXE);
  const found = await page.evaluate<{ id: string; nodes: { target: string[] }[] }[]>(
    'axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => violations)',
  );
  return found.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(' ')}`));
}
