import type { ErrorCode } from '../errors/app-error.js';
import type { TensorData } from './tensor.js';

/** ONNX Runtime's execution providers; `cuda` needs libraries that npm does not bring. */
export const PROVIDERS = ['cpu', 'cuda'] as const;
export type Provider = (typeof PROVIDERS)[number];

export interface ValueSignature {
  readonly name: string;
  readonly type: string;
  /** Names stand for dimensions known only at run time. */
  readonly shape: readonly (number | string)[];
}

/** What a graph takes and gives, read from the graph itself. */
export interface GraphSignature {
  readonly inputs: readonly ValueSignature[];
  readonly outputs: readonly ValueSignature[];
}

export type Tensors = Readonly<Record<string, TensorData>>;

export interface LoadOptions {
  readonly provider: Provider;
  /** Threads for one operator. @default one per core */
  readonly threads?: number;
  /** ONNX Runtime takes the graph as it is. @default false, it looks for a better one */
  readonly asIs?: boolean;
  /** ONNX Runtime writes a trace of every operator to files with this prefix. @default none */
  readonly profilePrefix?: string;
}

export type SessionRequest =
  | { readonly kind: 'load'; readonly network: string; readonly path: string; readonly options: LoadOptions }
  | { readonly kind: 'run'; readonly network: string; readonly feeds: Tensors }
  | { readonly kind: 'release' };

export interface RunResult {
  readonly outputs: Tensors;
  /** Spent inside ONNX Runtime. */
  readonly milliseconds: number;
}

export type SessionReply =
  | { readonly id: number; readonly value: GraphSignature | RunResult | undefined }
  | { readonly id: number; readonly error: { readonly code: ErrorCode; readonly message: string } };
