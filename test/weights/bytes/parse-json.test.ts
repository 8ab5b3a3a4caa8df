import { describe, expect, it } from 'vitest';
import { foreignContent, foreignWeights } from '../../../lib/weights/bytes/foreign-content.js';
import { parseJson } from '../../../lib/weights/bytes/parse-json.js';

const utf16 = (text: string, mark: number[]) =>
  Buffer.concat([Buffer.from(mark), Buffer.from(text, 'utf16le')]);
const swapped = (bytes: Buffer) => Buffer.from(bytes).swap16();

describe('parseJson', () => {
  it.each<[string, string, unknown]>([
    ['an object', '{"a": [1, "b"]}', { a: [1, 'b'] }],
    ['a byte order mark', '\ufeff{"a": 1}', { a: 1 }],
    ['two digits, which are not UTF-16', '10', 10],
    ['Windows line ends and tabs', '{\r\n\t"a": 1\r\n}\r\n', { a: 1 }],
    ['what a comment would be, in a string', '{"a": "// # /* , }"}', { a: '// # /* , }' }],
    ['one name in two objects', '[{"a": 1}, {"a": {"a": 2}}]', [{ a: 1 }, { a: { a: 2 } }]],
    [
      'a name that JavaScript knows',
      '{"__proto__": 1, "constructor": 2}',
      JSON.parse('{"__proto__":1,"constructor":2}'),
    ],
  ])('takes %s', (_, text, value) => {
    expect(parseJson(Buffer.from(text), 'x.json')).toEqual(value);
  });

  it.each<[string, string | Buffer, RegExp]>([
    ['nothing', '', /^x.json is not JSON: it is empty$/],
    ['white space', ' \n ', /it is empty$/],
    ['a comment', '{\n  "a": 1, // one\n  "b": 2\n}', /^x.json is not JSON: line 2 has a comment/],
    ['a comment of several lines', '/* a\n b */{}', /line 1 has a comment/],
    ['a comment as in Python', '{\n\n# a\n}', /line 3 has a comment/],
    ['a comma too many', '{"a": [1, 2,\n ]}', /line 1 has a comma before a closing bracket/],
    ['single quotes', "{'a': 1}", /single quotes/],
    ['no number', '{"a": NaN}', /NaN/],
    ['a literal of Python', '{"a": None}', /True, False or None/],
    ['half a document', '{"a": [1', /it ends too early$/],
    ['half a string', '{"a": "b', /it ends too early$/],
    ['two documents', '{}{}', /it cannot be parsed$/],
    [
      'a name twice',
      '{"b": {"a": 1, "c": [{"a": 2}], "\\u0061" : 3}}',
      /gives the same name twice in one object: "a"$/,
    ],
    ['a name twice that steers the terminal', '{"\u009b2J": 1, "\u009b2J": 2}', /"\\u009b2J"$/],
    ['UTF-16', utf16('{"a": 1}', [0xff, 0xfe]), /^x.json is UTF-16 text or binary: save it as UTF-8$/],
    ['UTF-16, the other way', swapped(utf16('{"a": 1}', [0xff, 0xfe])), /UTF-16/],
    ['UTF-16 without a mark', utf16('{"a": 1}', []), /UTF-16/],
    ['Latin-1', Buffer.from('{"a": "é"}', 'latin1'), /^x.json cannot be read as UTF-8$/],
    [
      'a Git LFS pointer',
      'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n',
      /git lfs pull/,
    ],
    ['a web page', '\n<!DOCTYPE html>\n<html lang="en">', /is an HTML page, .*\/resolve\//],
    ['an error of S3', '<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', /is an XML document/],
    ['a pickle', Buffer.from([0x80, 0x02, 0x7d, 0x71, 0x00]), /is a Python pickle/],
  ])('refuses %s', (_, content, message) => {
    const refusal = { code: 'INVALID_FILE', message: expect.stringMatching(message) };
    expect(() => parseJson(Buffer.from(content as string), 'x.json')).toThrow(
      expect.objectContaining(refusal),
    );
  });
});

describe('what lies in place of weights', () => {
  it.each<[string, string, RegExp]>([
    ['a Git LFS pointer', 'version https://git-lfs.github.com/spec/v1\noid', /Git LFS pointer.*git lfs pull/],
    ['a web page', '<html>', /HTML page/],
    ['a web page behind a mark and a comment', '\xef\xbb\xbf<!-- a -->\n<HTML>', /HTML page/],
    ['an error of a storage service', '<Error><Code>NoSuchKey</Code></Error>', /XML document/],
    ['an error as JSON', '{"error":"Repository not found"}', /text, not weights: "\{\\"error\\":/],
    ['an error as text', 'Entry not found', /text, not weights: "Entry not found"/],
    ['a file of torch.save', 'PK\x03\x04\0\0\x08\x08', /ZIP archive.*safe_serialization/],
    ['an older one', '\x80\x02\x8a\x0al', /pickle/],
    ['GGUF', 'GGUF\x03\0\0\0', /GGUF/],
    ['HDF5', '\x89HDF\r\n\x1a\n', /HDF5/],
    ['gzip', '\x1f\x8b\x08\0', /gzip/],
    ['zeros', '\0'.repeat(512), /zeros/],
  ])('%s is told', (_, start, message) => {
    expect(foreignWeights(Buffer.from(start, 'latin1'))).toMatch(message);
  });

  it('is nothing where there are weights, or a config', () => {
    const header = Buffer.from('\x40\0\0\0\0\0\0\0{"__metadata__":', 'latin1');
    expect([foreignWeights(header), foreignContent(header)]).toEqual([undefined, undefined]);
    expect(foreignContent(Buffer.from('{"_class_name": "AutoencoderKL"}'))).toBeUndefined();
  });
});
