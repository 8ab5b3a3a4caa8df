import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readSources } from '../support/import-graph.js';
import { papers, papersOfTheHouse, readPaper } from '../support/papers.js';
import { ROOT } from '../support/reference.js';

const FRONT = 'README.md';
/** A page that is read to its end; what more there is to say has its room. */
const MAX_LINES = 220;

const withoutCode = (text: string) => text.replaceAll(/^```[\s\S]*?^```$/gm, '');

/** The names that GitHub gives to headings. */
function anchors(text: string): Set<string> {
  const names = new Set<string>();
  for (const [, heading = ''] of withoutCode(text).matchAll(/^#+ (.*)$/gm)) {
    const words = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const name = words.replaceAll(/[^\p{L}\p{N}\s_-]/gu, '').replaceAll(' ', '-');
    let twin = 0;
    while (names.has(twin ? `${name}-${twin}` : name)) twin++;
    names.add(twin ? `${name}-${twin}` : name);
  }
  return names;
}

/** What a paper leads to, less what is elsewhere on the web. */
function linksOf(file: string): string[] {
  const text = withoutCode(readPaper(file));
  const found = [...text.matchAll(/\]\(([^)\s]+)\)|\b(?:src|srcset|href)="([^"]+)"/g)];
  return found.map(([, link, source]) => (link ?? source) as string).filter((to) => !/^https?:/.test(to));
}

/** The path from the root, and the heading, of a link. */
function follow(from: string, link: string): { readonly path: string; readonly anchor: string | undefined } {
  const [path, anchor] = link.split('#');
  return { path: path ? normalize(join(dirname(from), path)) : from, anchor };
}

function isBroken(from: string, link: string): boolean {
  const { path, anchor } = follow(from, link);
  if (!existsSync(join(ROOT, path))) return true;
  return anchor !== undefined && !(path.endsWith('.md') && anchors(readPaper(path)).has(anchor));
}

test('the front page is short', () => {
  expect(readPaper(FRONT).trimEnd().split('\n').length).toBeLessThanOrEqual(MAX_LINES);
});

test.each(papers())('%s: every link leads somewhere', (file) => {
  expect(linksOf(file).filter((link) => isBroken(file, link))).toEqual([]);
});

test('every paper is found from the front page', () => {
  const seen = new Set<string>([FRONT]);
  for (const file of seen)
    for (const link of linksOf(file)) {
      const { path } = follow(file, link);
      if (path.endsWith('.md')) seen.add(path);
    }
  expect(papers().filter((file) => !seen.has(file))).toEqual([]);
});

test.each(papersOfTheHouse())('%s: every file and folder that it names is there', (file) => {
  const named = [
    ...withoutCode(readPaper(file)).matchAll(/`((?:functions|infra|lib|packages|test)\/[\w./-]+)`/g),
  ];
  expect(named.map(([, path]) => path as string).filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});

test('nothing is said in two papers', () => {
  const places = new Map<string, string>();
  const twice: string[] = [];
  for (const file of papersOfTheHouse()) {
    const text = withoutCode(readPaper(file)).replaceAll(/\n(?![|#\n-])/g, ' ');
    for (const sentence of text.split(/\n|\. |[:;] |\|/).map((part) => part.trim())) {
      if (sentence.length < 50) continue;
      const other = places.get(sentence) ?? file;
      if (other !== file) twice.push(`${other}, ${file}: ${sentence}`);
      places.set(sentence, file);
    }
  }
  expect(twice).toEqual([]);
});

test('the code names papers by their path and heading: "infra/README.md, Trouble"', () => {
  // `init` writes a paper of its own.
  const sources = [...readSources(ROOT, ['lib', 'functions', 'infra'])].filter(
    ([file]) => !/\binit\b/.test(file),
  );
  const said = sources.flatMap(([, text]) => [...text.matchAll(/([\w./-]*README)(?:\.md, ([A-Z][\w ]+))?/g)]);
  const wrong = said.filter(([, file, heading = '']) => {
    const path = `${file}.md`;
    const name = heading.trim().toLowerCase().replaceAll(' ', '-');
    return !existsSync(join(ROOT, path)) || !anchors(readPaper(path)).has(name);
  });
  expect(wrong.map(([text]) => text)).toEqual([]);
  expect(said.length).toBeGreaterThan(1);
});

describe('the checker itself', () => {
  test('knows the names of headings', () => {
    const text = '# A (`b=c`), d\n```sh\n# no heading\n```\n## Same\n## Same\n## [Linked](x.md) one\n';
    expect([...anchors(text)]).toEqual(['a-bc-d', 'same', 'same-1', 'linked-one']);
  });

  test.each([
    'no-such.md',
    'README.md#no-such-heading',
    '#no-such-heading',
    'lib/no-such-folder',
    'LICENSE#x',
  ])('sees that %s is broken', (link) => expect(isBroken(FRONT, link)).toBe(true));
});
