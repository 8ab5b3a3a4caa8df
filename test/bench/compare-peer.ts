import { type Contestant, PHASES, type Times } from './contestants.js';
import { median, ratio, takeTurns } from './take-turns.js';

export type Peer = Contestant & { close(): Promise<void> };

export interface Comparison {
  /** A row of the table that `comparisonTitles` begins. */
  readonly row: readonly string[];
  /** Of each of ours, in their order. */
  readonly ours: readonly (readonly Times[])[];
  readonly theirs: readonly Times[];
}

/** @param ours one for each decoder */
export function comparisonTitles(ours: readonly Contestant[]): string[] {
  const beside = ours.map(({ decoder }) => `ours, ${decoder === 'vae' ? 'VAE' : 'TAESD'}: ratio`);
  return ['peer', 'text encoder', 'UNet', 'decoder', 'picture', ...beside, 'pixels'];
}

/**
 * Starts a peer, takes turns with it, ends it. The row has the peer's milliseconds, ours in the same turns with the
 * ratio, and by how much the pictures differ.
 */
export async function comparePeer(
  ours: readonly Contestant[],
  open: () => Promise<Peer>,
  turns: number,
): Promise<Comparison> {
  const peer = await open();
  try {
    if ('settings' in peer) process.stderr.write(`${JSON.stringify(peer.settings)}\n`);
    const { times, difference } = await takeTurns([...ours, peer], turns);
    const theirs = times.at(-1) as readonly Times[];
    const beside = ours.map(({ decoder }, index) => {
      const mine = times[index] as readonly Times[];
      // The slower decoder beside a peer's faster one would say nothing.
      const comparable = peer.decoder === 'vae' || decoder === 'taesd';
      return comparable ? `${cell(mine, 'total')}: **${ratio(totals(mine), totals(theirs))}**` : '';
    });
    const row = [
      peer.name,
      ...phaseCells(theirs),
      ...beside,
      difference === undefined ? '' : `${difference}`,
    ];
    return { row, ours: times.slice(0, -1), theirs };
  } finally {
    await peer.close();
  }
}

/** Medians of text encoder, UNet, decoder and picture. */
export function phaseCells(times: readonly Times[]): string[] {
  return PHASES.map((phase) => cell(times, phase));
}

function totals(times: readonly Times[]): number[] {
  return times.map(({ total }) => total);
}

function cell(times: readonly Times[], phase: keyof Times): string {
  const milliseconds = median(times.map((each) => each[phase]));
  return milliseconds.toFixed(milliseconds < 100 ? 1 : 0);
}
