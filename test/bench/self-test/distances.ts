/**
 * How far the self-test's picture is from the recorded one where all is right, in float16, and where something is not:
 * what the tolerances of `lib/pipeline/self-test.ts` lie between.
 *
 *   node test/support/run-ts.mjs test/bench/self-test/distances.ts [--faults N] [NAME...]
 *
 * `--faults` is how many of each kind are planted in each network of each checkpoint, 1 by default; NAMEs choose among
 * the checkpoints. Run it from the repository root, after any command has brought `dist` up to date; without `../shared/reference` it measures the checkpoints of this repository alone.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

import { importCheckpoint } from '../../../lib/export/import-checkpoint.js';
import { openBundle } from '../../../lib/pipeline/bundle.js';
import { loadTextToImage } from '../../../lib/pipeline/load-text-to-image.js';
import { drawTestPicture, summarise } from '../../../lib/pipeline/self-test.js';
import { SessionHost } from '../../../lib/runtime/session-host.js';
import type { PictureSummary } from '../../../lib/schemas/picture-summary.js';
import type { Decoder } from '../../../lib/schemas/request.js';
import { markdownTable } from '../markdown-table.js';
import { FAULTS, faultsOf, type Planted, withFault } from './faults.js';
import { lowerBundle } from './lower-bundle.js';

const CHECKPOINTS = {
  demo: 'lib/demo-model/model',
  sharded: 'test/fixtures/family/sharded/checkpoint',
  unusual: 'test/fixtures/family/unusual/checkpoint',
  'tiny-turbo': '../shared/reference/checkpoints/tiny-turbo',
  'tiny-v1': '../shared/reference/checkpoints/tiny-v1',
};

/** Levels between two pictures' summaries. */
interface Distance {
  readonly mean: number;
  readonly spread: number;
  /** The largest of a thumbnail's cells. */
  readonly cell: number;
}

type Pictures = Partial<Record<Decoder, PictureSummary>>;

const MEASURES = ['mean', 'spread', 'cell'] as const;

function distance(a: PictureSummary, b: PictureSummary): Distance {
  const [cells, others] = [a, b].map(({ thumbnail }) => Buffer.from(thumbnail, 'hex')) as [Buffer, Buffer];
  const cell = cells.reduce((most, level, at) => Math.max(most, Math.abs(level - (others[at] as number))), 0);
  return { mean: Math.abs(a.mean - b.mean), spread: Math.abs(a.spread - b.spread), cell };
}

/** @param asIs undefined: as the bundle's own dialect is run */
async function draw(folder: string, host: SessionHost, asIs?: boolean): Promise<Pictures> {
  const options = { provider: 'cpu' as const, ...(asIs !== undefined && { asIs }) };
  const pipeline = await loadTextToImage(await openBundle(folder), host, options);
  const drawn: Pictures = {};
  for (const decoder of pipeline.decoders)
    drawn[decoder] = summarise(await drawTestPicture(pipeline, decoder));
  return drawn;
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

interface Row {
  readonly subject: string;
  readonly what: string;
  readonly distances: readonly Distance[];
}

async function measure(name: string, from: string, host: SessionHost, faults: number): Promise<Row[]> {
  const folder = (kind: string) => join(scratch, `${name}-${kind}`);
  const taesd = existsSync(`${from}-taesd`) ? `${from}-taesd` : undefined;
  await importCheckpoint({ from, taesd, to: folder('float32') });
  await importCheckpoint({ from, taesd, to: folder('float16'), precision: 'float16' });
  await importCheckpoint({ from, taesd, to: folder('cuda'), dialect: 'cuda' });
  lowerBundle(folder('cuda'));
  const truth = await draw(folder('float32'), host);
  const from32 = (pictures: Pictures) =>
    (Object.keys(truth) as Decoder[]).map((decoder) =>
      distance(pictures[decoder] as PictureSummary, truth[decoder] as PictureSummary),
    );
  const rows: Row[] = [
    { subject: name, what: 'float16', distances: from32(await draw(folder('float16'), host)) },
    { subject: name, what: 'cuda, lowered', distances: from32(await draw(folder('cuda'), host, true)) },
  ];
  const found = new Map<string, Distance[]>(FAULTS.map((fault) => [fault, []]));
  for (const planted of await faultsOf(folder('float32'), faults)) {
    const far = await withFault(folder('float32'), planted, () => draw(folder('float32'), host)).then(
      (pictures) => nearest(from32(pictures), planted),
      // What is refused is not compared.
      () => undefined,
    );
    if (far) found.get(planted.fault)?.push(far);
  }
  for (const [what, distances] of found) rows.push({ subject: name, what, distances });
  console.error(`${name}: measured`);
  return rows;
}

/** A fault in one decoder leaves the other's picture as it is. */
function nearest(distances: readonly Distance[], { part }: Planted): Distance {
  const [vae, taesd = vae] = distances as [Distance, Distance?];
  return part === 'taesd_decoder' ? taesd : vae;
}

function tableRow({ subject, what, distances }: Row): string[] {
  const columns = MEASURES.map((measure) => {
    const sorted = distances.map((each) => each[measure]).sort((a, b) => a - b);
    const shown = [0, 0.5, 1].map((share) => percentile(sorted, share).toFixed(1));
    return shown.join(' / ');
  });
  return [`${subject}: ${what}`, String(distances.length), ...columns];
}

/** How many faults of all a set of tolerances sees. */
function shareSeen(rows: readonly Row[], [mean, spread, cell]: readonly [number, number, number]): string[] {
  return FAULTS.map((fault) => {
    const all = rows.filter(({ what }) => what === fault).flatMap(({ distances }) => distances);
    const seen = all.filter((each) => each.mean > mean || each.spread > spread || each.cell > cell);
    return `${Math.round((100 * seen.length) / all.length)} %`;
  });
}

const { values, positionals } = parseArgs({
  options: { faults: { type: 'string', default: '1' } },
  allowPositionals: true,
});
const scratch = mkdtempSync(join(tmpdir(), 'self-test-distances-'));
const host = new SessionHost(pathToFileURL('dist/lib/runtime/session-worker.js'));
try {
  const checkpoints = Object.entries(CHECKPOINTS).filter(
    ([name, from]) => existsSync(from) && (positionals.length === 0 || positionals.includes(name)),
  );
  const rows: Row[] = [];
  for (const [name, from] of checkpoints)
    rows.push(...(await measure(name, from, host, Number(values.faults))));
  console.log('Levels, least / median / most:\n');
  console.log(markdownTable([['picture', 'of', ...MEASURES], ...rows.map(tableRow)]));
  console.log('\nFaults that are seen:\n');
  const tolerances: [number, number, number][] = [
    [16, 16, 32],
    [8, 8, 16],
    [4, 4, 12],
    [3, 3, 10],
    [2, 2, 8],
    [1, 1, 2],
  ];
  const seen = tolerances.map((each) => [each.join(' / '), ...shareSeen(rows, each)]);
  console.log(markdownTable([['mean / spread / cell', ...FAULTS], ...seen]));
} finally {
  await host.close();
  rmSync(scratch, { recursive: true });
}
