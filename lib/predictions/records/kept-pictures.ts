import type { GenerateAnswer } from '../../schemas/answer.js';
import type { RequestRecord, StoredAnswer } from '../../schemas/prediction.js';
import type { OutputFormat } from '../../schemas/request.js';

/** The file of a picture, beside the records of its prediction. */
export interface KeptPicture {
  /** As `pictureName` has it. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Every name that a picture can have: nothing else becomes a path or a key. */
const PICTURE_NAME = /^[0-3]\.(png|jpeg|webp)$/;

export function pictureName(index: number, format: OutputFormat): string {
  return `${index}.${format}`;
}

/** @returns undefined for what is no picture's name */
export function formatOfName(name: string): OutputFormat | undefined {
  return PICTURE_NAME.exec(name)?.[1] as OutputFormat | undefined;
}

/** The pictures of an answer, as files. */
export function picturesOf({ result, results, output_format }: GenerateAnswer): KeptPicture[] {
  return (results ?? [result]).map((base64, index) => ({
    name: pictureName(index, output_format),
    bytes: Buffer.from(base64, 'base64'),
  }));
}

export interface ToStore {
  readonly answer: StoredAnswer;
  readonly pictures: readonly KeptPicture[];
}

/** What is stored of an answer: where its caller wants addresses, the pictures are files of their own. */
export function toStore({ response_format }: RequestRecord, answer: StoredAnswer): ToStore {
  if (response_format !== 'url' || 'pictures' in answer) return { answer, pictures: [] };
  const pictures = picturesOf(answer);
  const { result: _, results: __, ...about } = answer;
  return { answer: { pictures: pictures.length, ...about }, pictures };
}
