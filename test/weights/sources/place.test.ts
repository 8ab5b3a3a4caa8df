import { describe, expect, test } from 'vitest';
import { BUNDLE_KINDS, parsePlace, SOURCE_KINDS } from '../../../lib/weights/sources/place.js';

const parse = (text: string) => parsePlace(text, SOURCE_KINDS);

describe('a place', () => {
  test.each([
    ['hf:a/b', { kind: 'hub', location: { repo: 'a/b', revision: undefined } }],
    ['hf:a/b@v1', { kind: 'hub', location: { repo: 'a/b', revision: 'v1' } }],
    ['s3://bucket', { kind: 's3', location: { bucket: 'bucket', prefix: '' } }],
    ['s3://bucket/a/b/', { kind: 's3', location: { bucket: 'bucket', prefix: 'a/b' } }],
  ])('on a network: %s', (text, place) => {
    expect(parse(text)).toEqual(place);
  });

  test.each([
    'models/sd-turbo',
    '/models',
    './gs:models',
    'C:\\models',
    'C:/models',
    'd:models',
    '\\\\server\\share',
    '2026-01-01T10:30',
    'night: a tree',
    'v1:rc',
    '~/models',
    'https',
  ])('a directory: %s', (path) => {
    expect(parse(path)).toEqual({ kind: 'directory', path });
  });
});

describe('what looks like a network is no directory', () => {
  const possible = /: name a directory or s3:\/\/BUCKET\/PREFIX or hf:OWNER\/NAME\[@REVISION\]$/;

  test.each([
    ['gs://bucket/x', 'gs://...'],
    ['GS://bucket/x', 'GS://...'],
    ['az://container/x', 'az://...'],
    ['abfss://fs@account.dfs.core.windows.net/x', 'abfss://...'],
    ['ftp://host/x', 'ftp://...'],
    ['https://example.com/model.zip', 'https://...'],
    ['https://huggingface.co/datasets/a/b', 'https://...'],
    ['https://huggingface.co', 'https://...'],
    ['nothing-known+1.0://x', 'nothing-known+1.0://...'],
    ['server:/export/models', 'server:/...'],
    ['s3:x', 's3:...'],
    ['file:models', 'file:...'],
    [' gs://bucket', 'gs://...'],
    ['"gs://bucket"', 'gs://...'],
  ])('%s', (text, named) => {
    expect(() => parse(text)).toThrow(named);
    expect(() => parse(text)).toThrow(possible);
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' }));
  });

  test.each([
    ['S3://bucket/a/b', 's3://bucket/a/b'],
    ['s3:bucket/a', 's3://bucket/a'],
    ['s3a://bucket/a', 's3://bucket/a'],
    ['"s3://bucket/a"', 's3://bucket/a'],
    ['arn:aws:s3:::bucket/a', 's3://bucket/a'],
    ['https://bucket.s3.eu-central-1.amazonaws.com/a/b?x=1', 's3://bucket/a/b'],
    ['https://s3.us-east-1.amazonaws.com/bucket/a', 's3://bucket/a'],
    ['hf://a/b', 'hf:a/b'],
    ['hf://a/b@v1', 'hf:a/b@v1'],
    ['HF:a/b', 'hf:a/b'],
    ['https://huggingface.co/a/b', 'hf:a/b'],
    ['https://huggingface.co/a/b/', 'hf:a/b'],
    ['https://huggingface.co/a/b/tree/main', 'hf:a/b@main'],
    ['https://huggingface.co/a/b/tree/refs%2Fpr%2F1/unet', 'hf:a/b@refs/pr/1'],
    ['https://huggingface.co/a/b/resolve/v1/model_index.json?download=true', 'hf:a/b@v1'],
    ['http://www.huggingface.co/a/b.git', 'hf:a/b'],
    ['https://hf.co/a/b#usage', 'hf:a/b'],
    ['huggingface.co/a/b', 'hf:a/b'],
    ['git@hf.co:a/b', 'hf:a/b'],
    ['file:///models/a%20b', '/models/a b'],
  ])('%s: did you mean %s', (text, meant) => {
    expect(() => parse(text)).toThrow(`did you mean ${meant}?`);
  });

  test('of a password nothing is told', () => {
    const url = 'https://me:hf_secret@huggingface.co/a/b';
    expect(() => parse(url)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('hf_secret') }),
    );
  });

  test.each(['hf:a/b@v1', 'https://huggingface.co/a/b/tree/v1'])(
    'where a bundle is wanted, a repository is answered with the command that makes one: %s',
    (text) => {
      expect(() => parsePlace(text, BUNDLE_KINDS)).toThrow('sd-turbo import --from hf:a/b@v1 --to DIR');
    },
  );
});
