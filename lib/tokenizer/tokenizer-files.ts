/** The files of a checkpoint's `tokenizer/` directory, wherever that is. */
export interface TokenizerFiles {
  /** Of the directory, for messages. */
  readonly folder: string;
  /**
   * A whole file; undefined where there is none.
   *
   * @param name without a folder
   * @throws AppError INVALID_FILE, which names the file, when it is longer than `maxBytes` or cannot be read
   */
  read(name: string, maxBytes: number): Promise<Uint8Array | undefined>;
}
