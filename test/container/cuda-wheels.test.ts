import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };

const lines = readFileSync(new URL('../../functions/endpoint/cuda-wheels.txt', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'));

test('every CUDA wheel is pinned by exact version and by hash', () => {
  expect(lines.length).toBeGreaterThan(0);
  for (const line of lines) expect(line).toMatch(/^[a-z0-9-]+==[0-9.]+ --hash=sha256:[0-9a-f]{64}$/);
});

test('the CUDA provider has the version of the ONNX Runtime that loads it', () => {
  const provider = lines.find((line) => line.startsWith('onnxruntime-gpu=='));
  expect(provider?.split(' ')[0]).toBe(`onnxruntime-gpu==${packageJson.dependencies['onnxruntime-node']}`);
});
