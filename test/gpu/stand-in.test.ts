import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Graph, Initializer, Node } from '../../lib/onnx/model.js';
import type { AttentionKernels } from '../../lib/schemas/attention-kernels.js';
import { EndpointProcess } from '../support/processes/endpoint-process.js';
import { NETWORKS, type NetworkFolder, writeBeside, writeFullSizeBundle } from './full-size-bundle.js';
import { type Driven, drive, stageServer, standInEnvironment, standInIsAbsent } from './stand-in.js';
import { type Phase, parseStandInLog, type StandInLog } from './stand-in-log.js';
import { attentionOf, expectedAttention, standInProblems } from './stand-in-problems.js';

const absent = standInIsAbsent();
if (absent) console.warn(absent);
/** Loading takes seconds for each network. */
const PATIENCE_MS = 180_000;

const scratch = mkdtempSync(join(tmpdir(), 'stand-in-'));
afterAll(() => rmSync(scratch, { recursive: true }));

describe.skipIf(absent !== undefined)('the dialect cuda on a T4 that computes nothing', () => {
  const bundle = join(scratch, 'bundle');
  let graphs: Readonly<Record<NetworkFolder, Graph>>;
  let server: string;
  beforeAll(async () => {
    graphs = await writeFullSizeBundle(bundle);
    server = stageServer();
  }, PATIENCE_MS);
  afterAll(() => rmSync(server, { recursive: true }));

  /** What is wrong with networks of the bundle, or of others of the same names, by network. */
  function problemsOf(
    networks: readonly NetworkFolder[],
    kernels: AttentionKernels = 'guarded',
    from = bundle,
  ): { problems: Record<string, string[]>; log: StandInLog; driven: Driven[] } {
    const folders = networks.map((network) => join(from, network));
    const { log, driven } = drive(server, folders, { variables: { ATTENTION_KERNELS: kernels } });
    const problems = driven.map((each) => {
      const { inputs } = graphs[each.network as NetworkFolder];
      return [each.network, standInProblems(each, log, { kernels, inputs: inputs.length })] as const;
    });
    return { problems: Object.fromEntries(problems), log, driven };
  }

  test(
    'takes every node, the kernels that were meant, few copies, and 6 GB at most',
    () => {
      const networks = Object.keys(NETWORKS) as NetworkFolder[];
      const { problems, log, driven } = problemsOf(networks);
      expect(problems).toEqual(Object.fromEntries(networks.map((network) => [network, []])));
      // The log is not just empty.
      for (const { network, nodes } of driven)
        expect(nodes['CUDAExecutionProvider']?.length, network).toBeGreaterThan(80);
      const convolutions = networks.map((network) => log.phases.get(`${network} 3`)?.convolutions.length);
      // The three behind an upsampling are two each.
      expect(convolutions).toEqual([0, 66 + 3, 36 + 3, 35 + 3]);
    },
    PATIENCE_MS,
  );

  test.each(['fused', 'exact'] as const)(
    'takes other attention kernels with ATTENTION_KERNELS=%s',
    (kernels) => expect(problemsOf(['unet'], kernels).problems).toEqual({ unet: [] }),
    PATIENCE_MS,
  );

  describe('notices an exporter that is broken:', () => {
    const broken: [string, NetworkFolder, (graph: Graph) => Graph, RegExp][] = [
      [
        'an operator that is not there',
        'taesd_decoder',
        (graph) => rename(graph, 'NhwcConv', { operator: 'NhwcConvolution' }),
        /NhwcConvolution/,
      ],
      [
        "weights in torch's layout",
        'vae_decoder',
        (graph) => reshape(graph, /^decoder\.conv_in\.weight$/, { shape: [512, 4, 3, 3] }),
        /conv_in/,
      ],
      [
        'weights of a type that a kernel does not take',
        'vae_decoder',
        (graph) => reshape(graph, /norm1\.weight$/, { type: 'float16' }),
        /GroupNorm/,
      ],
      [
        'an operator that only the CPU has',
        'vae_decoder',
        (graph) => rename(graph, 'Round', { operator: 'Hardmax' }),
        /1 nodes on the CPUExecutionProvider: image\/Round/,
      ],
      [
        'a scale that was forgotten',
        'unet',
        (graph) => rename(graph, 'MultiHeadAttention', {}, ['scale']),
        /fused scales its sums by 30003000, not by 1/,
      ],
      [
        'attention that no fused kernel takes',
        'unet',
        (graph) => rename(graph, 'MultiHeadAttention', { attributes: { unidirectional: { int: 1 } } }),
        /attention: 32 x cutlass, not/,
      ],
    ];

    test.each(broken)(
      '%s',
      (name, network, breakIt, words) => {
        const folder = join(scratch, name.replaceAll(/\W/g, '-'));
        writeBeside(join(folder, network), breakIt(graphs[network]), join(bundle, network));
        const said = (() => {
          try {
            return problemsOf([network], 'guarded', folder).problems[network]?.join('\n');
          } catch (error) {
            return (error as Error).message;
          }
        })();
        expect(said).toMatch(words);
      },
      PATIENCE_MS,
    );
  });

  describe('the endpoint', () => {
    async function failed(variables: Record<string, string>) {
      const log = join(mkdtempSync(join(scratch, 'log-')), 'log');
      const endpoint = new EndpointProcess([process.execPath, join(server, 'server.mjs')], {
        ...standInEnvironment(log),
        ...{ MODEL_URI: bundle, PROVIDER: 'cuda', PORT: '0', ...variables },
      });
      try {
        const status = await endpoint.settled();
        const { status: code } = await endpoint.draw({ prompt: 'a tree' });
        return { status, code, said: endpoint.log, log: parseStandInLog(readFileSync(log, 'utf8')) };
      } finally {
        endpoint.signal('SIGKILL');
      }
    }

    const drawn = (kernels: AttentionKernels) =>
      (['text_encoder', 'unet', 'vae_decoder'] as const).flatMap((each) => expectedAttention(each, kernels));
    const attentionsOf = (log: StandInLog) =>
      attentionOf(log.phases.get('') as Phase).map(({ kind }) => kind);

    test(
      'looks at its first picture, tries again without float16 sums, and says that it is black',
      async () => {
        const { status, code, said, log } = await failed({});
        expect(status).toMatchObject({
          state: 'failed',
          provider: 'cuda',
          model: 'full-size',
          error: "the picture's mean is 0, not about 127.5: the self-test with the decoder vae failed",
        });
        expect(code).toBe(503);
        // Within one process: the sessions that are loaded anew ask for the variables anew.
        expect(attentionsOf(log)).toEqual([...drawn('guarded'), ...drawn('exact')]);
        expect(said).toContain('attention is computed in float32 from now on');
      },
      PATIENCE_MS,
    );

    test(
      'begins without float16 sums where nobody knows what the picture should be, and records no black one',
      async () => {
        const path = join(bundle, 'manifest.json');
        const text = readFileSync(path, 'utf8');
        const { self_test, ...about } = JSON.parse(text);
        writeFileSync(path, JSON.stringify(about));
        const { status, code, log } = await failed({}).finally(() => writeFileSync(path, text));
        expect([status.state, code]).toEqual(['failed', 503]);
        expect(status.error).toBe(
          'every pixel of the picture is 0, 0, 0: the self-test with the decoder vae failed',
        );
        expect(attentionsOf(log)).toEqual(drawn('exact'));
        expect(existsSync(join(bundle, 'self-test.json'))).toBe(false);
      },
      PATIENCE_MS,
    );

    test(
      'shares runs of the UNet, and plans no convolution anew when it is warm',
      async () => {
        const path = join(bundle, 'manifest.json');
        const text = readFileSync(path, 'utf8');
        const black = { mean: 0, spread: 0, thumbnail: '00'.repeat(192) };
        writeFileSync(path, JSON.stringify({ ...JSON.parse(text), self_test: { vae: black, taesd: black } }));
        const file = join(mkdtempSync(join(scratch, 'log-')), 'log');
        const endpoint = new EndpointProcess([process.execPath, join(server, 'server.mjs')], {
          ...standInEnvironment(file),
          ...{ MODEL_URI: bundle, PROVIDER: 'cuda', PORT: '0', MAX_BATCH_SIZE: '2' },
        });
        try {
          expect(await endpoint.settled()).toMatchObject({ state: 'ready' });
          appendFileSync(file, 'mark\tdrawn\n');
          const draw = (seed: number) =>
            endpoint.draw({ prompt: `a tree, ${seed}`, seed, num_steps: 1 + (seed % 3) });
          const answers = await Promise.all([1, 2, 3, 4, 5].map(draw));
          expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
          const { phases } = parseStandInLog(readFileSync(file, 'utf8'));
          const [warming, drawn] = [phases.get(''), phases.get('drawn')] as [Phase, Phase];
          const sizes = (maps: readonly (readonly number[])[]) => [...new Set(maps.map(([n]) => n))].sort();
          expect(sizes(warming.plans)).toEqual([1, 2]);
          expect(sizes(drawn.convolutions.map(({ x }) => x))).toEqual([1, 2]);
          expect([drawn.plans, drawn.allocations, drawn.problems]).toEqual([[], [], []]);
        } finally {
          endpoint.signal('SIGKILL');
          writeFileSync(path, text);
        }
      },
      PATIENCE_MS,
    );

    test(
      'hands on what cuDNN says, whole, to /ping and to the log',
      async () => {
        const { status, code, said } = await failed({ STAND_IN_NO_PLANS: '1', ATTENTION_KERNELS: 'exact' });
        expect([status.state, code]).toEqual(['failed', 503]);
        expect(status.error).toMatch(/the unet graph cannot be run: .*CUDNN.*/);
        expect(said).toContain(JSON.stringify(status.error));
      },
      PATIENCE_MS,
    );
  });
});

function rename(
  graph: Graph,
  operator: string,
  change: Partial<Node>,
  without: readonly string[] = [],
): Graph {
  const nodes = graph.nodes.map((node) => {
    if (node.operator !== operator) return node;
    const kept = Object.entries(node.attributes).filter(([name]) => !without.includes(name));
    const attributes = change.operator ? {} : Object.fromEntries(kept);
    return { ...node, ...change, attributes: { ...attributes, ...change.attributes } };
  });
  return { ...graph, nodes };
}

function reshape(graph: Graph, name: RegExp, change: Partial<Pick<Initializer, 'shape' | 'type'>>): Graph {
  const initializers = graph.initializers.map((each) =>
    name.test(each.name) ? { ...each, ...change } : each,
  );
  return { ...graph, initializers };
}
