/**
 * What one request can cost at `sd-turbo serve` beyond an ordinary one: the worst of each thing that a stranger may send,
 * in seconds of a core and in memory, over all processes of the service. Linux: it reads /proc.
 *
 *   npm run build
 *   node test/support/run-ts.mjs test/bench/request-cost.ts [--runs N] [--only WORDS]
 *
 * An ordinary request draws one picture in one step, beside a picture to begin with in two; what is refused before it is
 * drawn stands with all that it costs.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { makePng } from '../support/pictures/hostile-pictures.js';
import { HomeProcess } from '../support/processes/home-process.js';
import { type CostlyRequest, costlyPictures, costlyTexts } from './costly-requests.js';
import { markdownTable } from './markdown-table.js';

const { values: options } = parseArgs({
  options: { runs: { type: 'string', default: '3' }, only: { type: 'string', default: '' } },
});
const RUNS = Number(options.runs);
/** Between two looks at the memory. Milliseconds. */
const LOOK_MS = 5;
/** Of the clock that /proc counts in. */
const TICKS_PER_SECOND = 100;
const PAGE = 4096;

interface Cost {
  readonly status: number;
  /** Of a core. */
  readonly seconds: number;
  /** At the highest, above what was there before. Bytes. */
  readonly memory: number;
}

interface Usage {
  readonly ticks: number;
  readonly resident: number;
}

/** Of a process and all below it; of those that have ended their time is with the one above. */
function usage(root: number): Usage {
  const rows = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap(readStat);
  const family = new Set([root]);
  for (let size = 0; size < family.size; ) {
    size = family.size;
    for (const { pid, parent } of rows) if (family.has(parent)) family.add(pid);
  }
  const own = rows.filter(({ pid }) => family.has(pid));
  const sum = (of: 'ticks' | 'resident') => own.reduce((total, row) => total + row[of], 0);
  return { ticks: sum('ticks'), resident: sum('resident') };
}

function readStat(pid: string): (Usage & { pid: number; parent: number })[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // After the name, which may have spaces: state, parent, ...
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const at = (index: number) => fields[index] ?? 0;
    const ticks = at(11) + at(12) + at(13) + at(14);
    return [{ pid: Number(pid), parent: at(1), ticks, resident: at(21) * PAGE }];
  } catch {
    // It has ended since it was listed.
    return [];
  }
}

const folder = mkdtempSync(join(tmpdir(), 'request-cost-'));
const service = await new HomeProcess([], folder, process.cwd()).started();

async function measure({ headers, body }: CostlyRequest): Promise<Cost> {
  const before = usage(service.pid);
  let highest = before.resident;
  const watch = setInterval(() => {
    highest = Math.max(highest, usage(service.pid).resident);
  }, LOOK_MS);
  const send = () =>
    fetch(`${service.url}/predict`, {
      method: 'POST',
      headers: { 'x-api-key': service.key, 'content-type': 'application/json', ...headers },
      body,
    });
  // An idle connection may be closed just when it is used again.
  const response = await send().catch(send);
  await response.arrayBuffer();
  clearInterval(watch);
  const after = usage(service.pid);
  await settle();
  return {
    status: response.status,
    seconds: (after.ticks - before.ticks) / TICKS_PER_SECOND,
    memory: Math.max(highest, after.resident) - before.resident,
  };
}

/** Until nothing works any more: what one request has begun is not to be counted with the next. */
async function settle(): Promise<void> {
  for (let last = -1, now = usage(service.pid).ticks; now - last > 1; ) {
    await pause(200);
    [last, now] = [now, usage(service.pid).ticks];
  }
}

/** The dearest of several. */
async function worst(request: CostlyRequest): Promise<Cost> {
  const costs: Cost[] = [];
  for (let run = 0; run < RUNS; run++) costs.push(await measure(request));
  const most = (of: 'seconds' | 'memory') => Math.max(...costs.map((cost) => cost[of]));
  return { status: costs[0]?.status ?? 0, seconds: most('seconds'), memory: most('memory') };
}

async function compare(
  requests: AsyncIterable<CostlyRequest> | Iterable<CostlyRequest>,
  ordinary: CostlyRequest,
) {
  // The first draws grow the processes to their size.
  for (let run = 0; run < 3; run++) await measure(ordinary);
  const usual = await worst(ordinary);
  print(ordinary.name, usual, { seconds: 0, memory: 0 });
  for await (const request of requests) {
    if (!request.name.includes(options.only)) continue;
    const cost = await worst(request);
    print(request.name, cost, cost.status === 200 ? usual : { seconds: 0, memory: 0 });
  }
}

const rows: string[][] = [['request', 'status', 'CPU s', 'MB']];
function print(
  name: string,
  { status, seconds, memory }: Cost,
  usual: Pick<Cost, 'seconds' | 'memory'>,
): void {
  const beyond = [Math.max(0, seconds - usual.seconds), Math.max(0, memory - usual.memory) / 1e6];
  rows.push([name, String(status), ...beyond.map((value, index) => value.toFixed(index === 0 ? 2 : 0))]);
  process.stderr.write(`${rows.at(-1)?.join('  ')}\n`);
}

async function* withPictures(): AsyncIterable<CostlyRequest> {
  for (const [name, make] of costlyPictures()) yield withPicture(name, await make());
}

function withPicture(name: string, bytes: Buffer): CostlyRequest {
  return { name, body: JSON.stringify({ prompt: 'x', image: bytes.toString('base64') }) };
}

try {
  await compare(costlyTexts(), {
    name: 'an ordinary request, in all',
    body: JSON.stringify({ prompt: 'a red house' }),
  });
  const small = makePng({ width: 512, height: 512 });
  await compare(withPictures(), withPicture('an ordinary request with a picture, in all', small));
} finally {
  await service.kill();
  rmSync(folder, { recursive: true });
}
process.stdout.write(`${markdownTable(rows)}\n`);
