import type { SeededRequest } from '../schemas/prediction.js';
import type { Decoder } from '../schemas/request.js';
import type { Output } from './output.js';

export interface DrawProps {
  readonly request: SeededRequest;
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
  /** By phase. */
  readonly milliseconds: Readonly<Record<string, number>>;
}
