import type { Decoder, GenerateRequest } from '../../schemas/request.js';
import type { Output } from './output.js';

/** A request as the command has it: with a seed, and with the bytes of its picture. */
export type DrawRequest = Omit<GenerateRequest, 'image' | 'seed'> & {
  readonly seed: number;
  readonly image?: Uint8Array | undefined;
};

export interface DrawProps {
  readonly request: DrawRequest;
  /** One for each picture. */
  readonly outputs: readonly Output[];
}

/** What `generate --json` prints. */
export interface Drawing {
  readonly seed: number;
  readonly num_steps: number;
  readonly decoder: Decoder;
  readonly model: string;
  readonly files: readonly string[];
  readonly tokens_cut: number;
  /** Sentences for a person. @default none */
  readonly warnings?: readonly string[];
  /** By phase. */
  readonly milliseconds: Readonly<Record<string, number>>;
}
