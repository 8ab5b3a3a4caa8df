import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { formatReport, makeReport } from '../../lib/cli/bench/bench-report.js';
import { peakOf } from '../../lib/cli/bench/device-peak.js';
import { percentiles } from '../../lib/cli/bench/percentiles.js';
import { sdTurbo } from '../support/processes/run-command.js';

const scratch = mkdtempSync(join(tmpdir(), 'bench-'));
afterAll(() => rmSync(scratch, { recursive: true }));

test('bench --json measures two fresh processes and three warm pictures of the demo model', async () => {
  const args = ['bench', '--runs', '3', '--cold', '2', '--steps', '2', '--peak', '0.5', '--json'];
  const { code, stdout, stderr } = await sdTurbo(args, scratch);
  expect(code, stderr).toBe(0);
  const report = JSON.parse(stdout);
  expect(report).toMatchObject({
    model: 'sd-turbo-demo',
    provider: 'cpu',
    decoder: 'vae',
    steps: 2,
    peak_tflops: 0.5,
  });
  expect([report.runs, report.cold_runs]).toEqual([3, 2]);
  for (const { min, p50, max } of Object.values<Record<string, number>>({ ...report.cold, ...report.warm })) {
    expect(min).toBeGreaterThanOrEqual(0);
    expect(p50).toBeGreaterThanOrEqual(min as number);
    expect(max).toBeGreaterThanOrEqual(p50 as number);
  }
  // Parts of a whole: a phase that was forgotten or counted twice would show.
  const { total, ...phases } = report.cold;
  const sum = Object.values<Record<string, number>>(phases).reduce(
    (all, { max }) => all + (max as number),
    0,
  );
  expect(total.max).toBeLessThanOrEqual(sum * (1 + 1e-9));
  // Two steps of 1,672,085,504 operations: see test/export/count-work.test.ts.
  expect(report.work.unet.tflop).toBeCloseTo(2 * 1.672085504e-3, 12);
  expect(report.work.unet.share_of_peak).toBeCloseTo(report.work.unet.tflops / 0.5, 12);
  expect(report.peak_memory_bytes).toBeGreaterThan(50e6);
});

test('bench --compare shows the medians beside those of an earlier run', async () => {
  const file = join(scratch, 'earlier.json');
  const measured = await sdTurbo(['bench', '--runs', '1', '--steps', '2', '--json'], scratch);
  const earlier = JSON.parse(measured.stdout);
  // As if it had taken a thousand times as long: no machine is so much slower for a moment.
  for (const times of Object.values<{ p50: number }>(earlier.warm)) times.p50 *= 1000;
  writeFileSync(file, JSON.stringify({ ...earlier, node: '1.2.3' }));
  const args = ['bench', '--runs', '1', '--compare', file];

  const table = await sdTurbo(args, scratch);
  expect(table.code, table.stderr).toBe(0);
  expect(table.stdout).toContain('not alike: steps was 2, is 1\nnot alike: node was 1.2.3, is ');
  expect(table.stdout).toMatch(
    new RegExp(`\nunet +${earlier.warm.unet.p50.toFixed(1)} +[\\d.]+ +0\\.\\d\\d\n`),
  );

  const { compared, warm } = JSON.parse((await sdTurbo([...args, '--json'], scratch)).stdout);
  expect(compared.earlier.warm.total).toEqual({ p50: earlier.warm.total.p50 });
  expect(compared.ratios.warm.total).toBeCloseTo(warm.total.p50 / earlier.warm.total.p50, 9);
});

test.each([
  ['nothing', undefined, /nothing\.json: there is no such file/],
  ['no-json', '{', /no-json\.json is not JSON/],
  ['other', '{"model": "x"}', /other\.json is no report of bench --json: provider: /],
  ['long', ' '.repeat(2 ** 20 + 1), /long\.json is longer than 1048576 bytes/],
])('--compare with %s is refused before anything is measured', async (name, content, message) => {
  const file = join(scratch, `${name}.json`);
  if (content !== undefined) writeFileSync(file, content);
  const { code, stdout, stderr } = await sdTurbo(['bench', '--compare', file], scratch);
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(message);
});

test('a failure of a fresh process is told in one line', async () => {
  const { code, stdout, stderr } = await sdTurbo(['bench', '--cold', '2', '--model', scratch], scratch);
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(/a fresh process failed: .*holds no bundle/);
});

test.each([
  [['--cold', '0'], '--cold'],
  [['--peak', '0'], '--peak'],
  [['--peak', 'fast'], '--peak'],
  [['--provider', 'tpu'], '--provider'],
])('%j is refused by name', async (args, named) => {
  const { code, stderr } = await sdTurbo(['bench', ...args], scratch);
  expect(code).toBe(2);
  expect(stderr).toContain(named);
});

describe('percentiles', () => {
  const upTo = (count: number) => Array.from({ length: count }, (_, index) => count - index);

  test('nearest rank', () => {
    expect(percentiles(upTo(100))).toEqual({ min: 1, p50: 50, p90: 90, p99: 99, max: 100 });
  });

  test('those that so few values do not carry are left out', () => {
    expect(percentiles([7])).toEqual({ min: 7, p50: 7, max: 7 });
    expect(percentiles(upTo(9))).toEqual({ min: 1, p50: 5, max: 9 });
    expect(percentiles(upTo(10))).toEqual({ min: 1, p50: 5, p90: 9, max: 10 });
    expect(Object.keys(percentiles(upTo(99)))).not.toContain('p99');
  });
});

describe('the report', () => {
  const cold = {
    start: 1,
    tokenizer: 2,
    text_encoder: 3,
    unet: 4,
    decoder: 5,
    warm_up: 6,
    first_picture: 7,
    total: 28,
  };
  const warm = { text_encoder: 10, unet: 100, decoder: 50, encode: 4, other: 36, total: 200 };
  const props = {
    settings: { model: 'm', provider: 'cuda', decoder: 'vae', steps: 1, machine: 'Tesla T4', node: '24.0.0' },
    cold: [cold],
    warm: [warm],
    flops: { text_encoder: 0.05e12, unet: 0.8e12, decoder: 2.5e12 },
    peakTflops: 65,
    peakMemoryBytes: 2 ** 30,
  };

  test('work over time, and its share of the peak', () => {
    const { work } = makeReport(props);
    expect(work?.unet.tflop).toBeCloseTo(0.8, 9);
    expect(work?.unet.tflops).toBeCloseTo(8, 9);
    expect(work?.unet.share_of_peak).toBeCloseTo(8 / 65, 9);
    expect(work?.total.tflops).toBeCloseTo(3.35 / 0.2, 9);
  });

  test('as a table', () => {
    const lines = formatReport(makeReport(props)).split('\n');
    expect(lines).toContainEqual(
      expect.stringMatching(/^unet +100\.0 +100\.0 +- +- +100\.0 +0\.800 +8\.00 +12\.3 %$/),
    );
    expect(lines).toContainEqual(expect.stringMatching(/^total +28\.0 /));
  });

  test('nothing is said of a peak or of work that is not known', () => {
    const report = makeReport({ ...props, flops: undefined, peakTflops: undefined });
    expect([report.work, report.peak_tflops]).toEqual([null, null]);
    expect(formatReport(report)).not.toMatch(/TFLOP|peak\b(?! memory)/);
  });
});

test.each([
  ['Tesla T4', 65],
  ['Tesla V100-SXM2-16GB', 125],
  ['NVIDIA A10G', 70],
  ['NVIDIA A100-SXM4-40GB', 312],
  ['NVIDIA L4', 121],
  ['NVIDIA L40S', 362],
  ['NVIDIA H100 80GB HBM3', 989],
  ['NVIDIA H100 PCIe', 756],
  ['NVIDIA GeForce RTX 9999', undefined],
])('peak of %s', (name, tflops) => {
  expect(peakOf(name)).toBe(tflops);
});
