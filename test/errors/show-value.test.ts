import { describe, expect, test } from 'vitest';
import { showValue } from '../../lib/errors/show-value.js';
import { quoteName } from '../../lib/weights/bytes/quote-name.js';

// Found by test/fuzz/tokenizer-run.ts: JSON leaves DEL as it is, and a terminal takes it for a command.
describe('what comes from a file cannot steer the terminal that its refusal is shown on', () => {
  const marks: [string, string, string][] = [
    ['an escape', '\u001b[2J', '"\\u001b[2J"'],
    ['DEL', 'a\u007fb', '"a\\u007fb"'],
    ['a control of C1', '\u009b31m', '"\\u009b31m"'],
    ['the end of a line', 'a\u2028b\nc', '"a\\u2028b\\nc"'],
    ['a mark that turns what follows', '\u202egnp.exe', '"\\u202egnp.exe"'],
    ['what cannot be seen', 'a\u200bb\ufeffc', '"a\\u200bb\\ufeffc"'],
  ];

  test.each(marks)('%s', (_, text, shown) => {
    expect(showValue(text)).toBe(shown);
    expect(quoteName(text)).toBe(shown);
  });

  test('letters of any script stay as they are', () => {
    expect(showValue('Größe 大きさ 🌳')).toBe('"Größe 大きさ 🌳"');
  });
});
