import { describe, expect, test } from 'vitest';
import { formatBytes } from '../../lib/cli/format-bytes.js';
import { tellMemory } from '../../lib/cli/models/tell-memory.js';
import { Progress } from '../../lib/cli/progress.js';
import { tellBytes } from '../../lib/cli/tell-bytes.js';

test.each([
  [0, '0 kB'],
  [1, '1 kB'],
  [999_000, '999 kB'],
  [999_001, '1 MB'],
  [24_000_000, '24 MB'],
  [2_580_000_000, '2.6 GB'],
  [123_400_000_000, '124 GB'],
])('%i bytes are %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test('bytes come with their rate, and with how long the rest takes at the rate of the last ten seconds', () => {
  let time = 0;
  const lines: string[] = [];
  const progress = new Progress({ isTTY: true, write: (text) => lines.push(text) });
  const tell = tellBytes(progress, 'downloading', () => time);
  const say = (seconds: number, done: number) => {
    time = seconds * 1000;
    tell(done, 1e9);
    return lines.at(-1)?.split('] ').at(-1);
  };
  expect(say(0, 0)).toBe('0 %, 0 kB of 1.0 GB');
  // What was found on the disk says nothing of the network, ten seconds later.
  expect(say(1, 4e8)).toBe('40 %, 400 MB of 1.0 GB, 400 MB/s, 2 s left');
  for (let second = 2; second <= 20; second++) say(second, 4e8 + second * 1e6);
  expect(say(21, 421e6)).toBe('42 %, 421 MB of 1.0 GB, 1 MB/s, 10 min left');
  expect(say(22, 1e9)).toMatch(/^100 %, 1\.0 GB of 1\.0 GB, \d+ MB\/s$/);
});

test('a chunk that must be fetched again makes no rate below zero', () => {
  let time = 0;
  const lines: string[] = [];
  const progress = new Progress({ isTTY: true, write: (text) => lines.push(text) });
  const tell = tellBytes(progress, 'x', () => time);
  tell(5e6, 1e9);
  time = 5_000;
  tell(1e6, 1e9);
  expect(lines.at(-1)).toMatch(/ 0 %, 1 MB of 1\.0 GB$/);
});

describe('memory, of which a bundle of 2.6 GB takes three times its size', () => {
  const files = [{ path: 'unet/model.safetensors', size: 2.6e9 }];
  const look = (available: number, whole: number): string[] => {
    const notes: string[] = [];
    tellMemory(files, (line) => notes.push(line), { available, whole });
    return notes;
  };

  test('enough is not told', () => {
    expect(look(9e9, 16e9)).toEqual([]);
  });

  test('what may be too little is told', () => {
    expect(look(4e9, 8e9)).toEqual([
      'to draw with it takes about 7.8 GB of memory, and 4.0 GB are free: it may be slow, or ended by the system',
    ]);
  });

  test('what is too little by far is refused', () => {
    expect(() => look(3e9, 4e9)).toThrow(
      /takes about 7.8 GB of memory, and there are 4.0 GB in all: draw on a service/,
    );
  });
});
