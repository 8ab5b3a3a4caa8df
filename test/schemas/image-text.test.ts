import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_IMAGE_BYTES, MAX_IMAGE_TEXT, readImageText } from '../../lib/schemas/image-text.js';
import { generateRequestSchema } from '../../lib/schemas/request.js';

/** Fixed: what fails here fails everywhere. */
const RUNS = { numRuns: 2_000, seed: 20261129 };

const TYPES = ['image/png', 'image/jpeg', 'image/jpg', 'IMAGE/WEBP', 'application/octet-stream', ''];
const bytes = fc.uint8Array({ minLength: 1, maxLength: 300 });

/** The ways in which base64 is written: its alphabet, its padding, its lines. */
const spelling = fc.record({
  urlSafe: fc.boolean(),
  padded: fc.boolean(),
  column: fc.constantFrom(4, 60, 64, 76, 1_000),
  lineEnd: fc.constantFrom('\n', '\r\n', '\r', '\n  ', ' \n', '\t\n', '\n\n'),
  last: fc.constantFrom('', '\n', '\r\n', ' ', '\n \t'),
});
/** ... and what stands before it. */
const head = fc.oneof(
  fc.constant(''),
  fc.constant(' \n'),
  fc
    .tuple(
      fc.constantFrom('data:', 'DATA:', ' data:'),
      fc.constantFrom(...TYPES),
      fc.constantFrom('', ';charset=utf-8', ';name=a.png;x="y"'),
      fc.constantFrom(';base64,', ';BASE64,', '; base64 , '),
    )
    .map((parts) => parts.join('')),
);

function spell(
  data: Uint8Array,
  how: { urlSafe: boolean; padded: boolean; column: number; lineEnd: string; last: string },
) {
  const base64 = Buffer.from(data).toString('base64');
  const padded = how.padded ? base64 : base64.replace(/=+$/, '');
  const letters = how.urlSafe ? padded.replaceAll('+', '-').replaceAll('/', '_') : padded;
  const lines = letters.match(new RegExp(`.{1,${how.column}}`, 'g')) ?? [];
  return lines.join(how.lineEnd) + how.last;
}

const base64Of = (text: string) => {
  const read = readImageText(text);
  return 'base64' in read ? read.base64 : expect.fail(`${JSON.stringify(text)}: ${read.wrong}`);
};
const wrongOf = (text: string) => {
  const read = readImageText(text);
  return 'wrong' in read ? read.wrong : expect.fail(`${JSON.stringify(text)} was taken`);
};

describe('base64, however it is written', () => {
  test('is the same bytes', () => {
    fc.assert(
      fc.property(bytes, spelling, head, (data, how, before) => {
        expect(base64Of(before + spell(data, how))).toBe(Buffer.from(data).toString('base64'));
      }),
      RUNS,
    );
  });

  test('may be escaped in a data URL', () => {
    fc.assert(
      fc.property(bytes, spelling, (data, how) => {
        const text = `data:image/png;base64,${encodeURIComponent(spell(data, how))}`;
        expect(base64Of(text)).toBe(Buffer.from(data).toString('base64'));
      }),
      RUNS,
    );
  });

  test('with a character that has no place in it is refused with that place', () => {
    const strange = fc.constantFrom(
      ...'!"#$%&\'()*,.:;<>?@[]^`{|}~',
      '\0',
      '\u00a0',
      '\u00e9',
      '\ufeff',
      '\u{1f333}',
    );
    fc.assert(
      fc.property(bytes, spelling, strange, fc.nat(), (data, how, character, where) => {
        const text = spell(data, how);
        // A scheme is letters before a colon: that is another sentence.
        const at = where % (text.length + 1);
        fc.pre(character !== ':');
        expect(wrongOf(text.slice(0, at) + character + text.slice(at))).toMatch(
          new RegExp(` at character ${at + 1}$`),
        );
      }),
      RUNS,
    );
  });

  test('of which a letter is missing from the last four is refused, or other bytes: never more', () => {
    fc.assert(
      fc.property(bytes, fc.nat(), (data, cut) => {
        const letters = Buffer.from(data).toString('base64').replace(/=+$/, '');
        const text = letters.slice(0, cut % letters.length);
        if (text === '') expect(wrongOf(text)).toBe('must not be empty');
        else if (text.length % 4 === 1)
          expect(wrongOf(text)).toMatch(new RegExp(`of ${text.length} letters`));
        else expect(Buffer.from(data).indexOf(Buffer.from(base64Of(text), 'base64').subarray(0, -1))).toBe(0);
      }),
      RUNS,
    );
  });

  test('whatever comes is read or told', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('data:', 'image/png', ';base64', ',', '%', '%3D', '=', ' ', '\n'),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const read = readImageText(pieces.join(''));
        if ('wrong' in read) expect(read.wrong).toMatch(/^(is|must) /);
        else expect(Buffer.from(read.base64, 'base64').toString('base64')).toBe(read.base64);
      }),
      RUNS,
    );
  });
});

describe('what is wrong is named', () => {
  test.each([
    ['https://example.com/a.png', 'not its address'],
    ['HTTP://example.com/a.png', 'not its address'],
    ['//example.com/a.png', 'has . at character 10'],
    ['file:///a.png', 'not its address'],
    ['blob:https://example.com/1-2', 'not its address'],
    ['s3://bucket/a.png', 'not its address'],
    ['C:\\pictures\\a.png', 'not its address'],
    ['/home/me/a.png', 'has . at character 11'],
    ["b'iVBORw0K'", "has ' at character 2"],
    ['<svg xmlns="http://www.w3.org/2000/svg"/>', 'has < at character 1'],
    ['iVBO Rw0K', 'has a space (which + becomes in a form) at character 5'],
    ['data:image/png;base64,iVBO Rw0K', 'at character 27'],
    ['iVB=Rw0K', 'has =, before its end, at character 4'],
    ['iVB=\nRw0K', 'has =, before its end, at character 4'],
    ['iVBORw===', 'has =, before its end, at character 7'],
    ['iVBOR', 'of 5 letters of base64 one is too many'],
    ['', 'must not be empty'],
    [' \n', 'must not be empty'],
    ['==', 'must not be empty'],
    ['data:image/png;base64,', 'must not be empty'],
    ['data:image/svg+xml;base64,AAAA', 'of image/svg+xml: must be image/png, image/jpeg or image/webp'],
    ['data:image/gif;base64,AAAA', 'of image/gif'],
    ['data:text/html,<p>', 'of text/html'],
    ['data:image/png,%89PNG', 'without ;base64 before its comma'],
    ['data:image/png;base64', 'without a comma'],
    [`data:image/png;${'x'.repeat(300)},AAAA`, 'without a comma'],
    ['data:image/png;base64,AAA%', 'a % that stands for nothing'],
    ['data:image/png;base64,AAA%zz', 'a % that stands for nothing'],
    ['\ufeffiVBO', 'has U+FEFF at character 1'],
    ['iVBО', 'has U+041E at character 4'],
  ])('%j: %s', (text, said) => expect(wrongOf(text)).toContain(said));
});

describe('the largest picture', () => {
  const largest = Buffer.alloc(MAX_IMAGE_BYTES, 'SD-Turbo').toString('base64');

  test('fits, in lines of MIME, too', () => {
    const lines = largest.replace(/.{76}/g, '$&\r\n');
    for (const text of [largest, `data:image/png;base64,${lines}\r\n`]) {
      expect(JSON.stringify(text).length).toBeLessThan(MAX_IMAGE_TEXT);
      // By a comparison: a difference of 4 MiB would be printed.
      expect(base64Of(text) === largest).toBe(true);
    }
  });

  test.each([
    ['one byte more', Buffer.alloc(MAX_IMAGE_BYTES + 1).toString('base64')],
    ['nothing but line ends around one', 'AAAA'.padEnd(MAX_IMAGE_TEXT + 1, '\n')],
  ])('%s does not', (_, image) => {
    const { error } = generateRequestSchema.safeParse({ prompt: 'a tree', image });
    expect(error?.issues.map(({ path, message }) => [path, message])).toEqual([
      [['image'], `must have at most ${MAX_IMAGE_BYTES} bytes`],
    ]);
  });
});
