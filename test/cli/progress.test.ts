import { expect, test } from 'vitest';
import { type ProgressStream, withProgress } from '../../lib/cli/progress.js';

function recorder(isTTY: boolean): { stream: ProgressStream; written: () => string } {
  let text = '';
  const write = (more: string) => (text += more);
  return { stream: { isTTY, write }, written: () => text };
}

test('on a terminal one line changes and is gone at the end, also after an error', async () => {
  const { stream, written } = recorder(true);
  const failing = withProgress(stream, async (progress) => {
    progress.say('loading');
    progress.update('copying', 1, 2);
    throw new Error('broken off');
  });
  await expect(failing).rejects.toThrow('broken off');
  expect(written()).toBe('\r\x1b[Kloading\r\x1b[Kcopying [############............] 50 %\r\x1b[K');
});

test('elsewhere there are few plain lines, none twice, and nothing at the end', async () => {
  const { stream, written } = recorder(false);
  await withProgress(stream, async (progress) => {
    for (let done = 0; done <= 1000; done++) progress.update('copying', done, 1000);
    progress.update('nothing', 0, 0);
  });
  const lines = [0, 25, 50, 75, 100].map((part) => `copying ${part} %\n`);
  expect(written()).toBe(`${lines.join('')}nothing 100 %\n`);
});
