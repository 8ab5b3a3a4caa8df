import type { DirectRequest } from '../sources/direct/direct-request.js';

/** What a fetch thread is to bring to a file. */
export interface FetchOrder {
  readonly request: DirectRequest;
  /** Of the open file: threads of a process share them. */
  readonly descriptor: number;
  /** Where in the file the bytes belong. */
  readonly at: number;
  /** Bytes. */
  readonly length: number;
}

/** Without an order: the fetch of that number is given up. */
export interface FetchMessage {
  readonly id: number;
  readonly order?: FetchOrder;
}

/** `bytes` came since the last reply. After the one with an end the thread touches the file no more. */
export interface FetchReply {
  readonly id: number;
  readonly bytes: number;
  readonly end?: FetchEnd;
}

/** `declined`: the answer was not a plain one, and the file has not been touched. */
export type FetchEnd =
  | { readonly kind: 'done'; readonly crc32: number }
  | { readonly kind: 'declined' }
  | { readonly kind: 'failed'; readonly error: FetchError };

export interface FetchError {
  readonly message: string;
  /** The system's: ECONNRESET and the like. */
  readonly code?: string | undefined;
  /** Whether it was the file that could not be written. */
  readonly disk: boolean;
}
