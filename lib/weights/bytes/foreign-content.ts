import { quoteName } from './quote-name.js';

/** Of a file, enough to know any of these. Bytes. */
export const FOREIGN_PREFIX_BYTES = 512;

const CONVERT = 'load it with PyTorch and save it with save_pretrained(..., safe_serialization=True)';

/** Beginnings of files, byte for byte, that come in place of others, and what to do about it. */
const MAGIC: readonly (readonly [string, string])[] = [
  ['PK\x03\x04', `a ZIP archive, as torch.save writes them (.bin, .pt, .ckpt): ${CONVERT}`],
  ['\x80\x02', `a Python pickle, as older torch.save wrote them (.bin, .pt, .ckpt): ${CONVERT}`],
  ['\x80\x03', `a Python pickle: ${CONVERT}`],
  ['\x80\x04', `a Python pickle: ${CONVERT}`],
  ['\x80\x05', `a Python pickle: ${CONVERT}`],
  ['\x1f\x8b', 'compressed with gzip: unpack it first'],
  ['\x28\xb5\x2f\xfd', 'compressed with zstd: unpack it first'],
  ['\x89HDF\r\n', 'an HDF5 file, as TensorFlow writes them: convert it to safetensors first'],
  ['GGUF', 'a GGUF file of llama.cpp: take the original in safetensors'],
];

/** Beginnings of texts that come in place of files. */
const TEXTS: readonly (readonly [RegExp, string])[] = [
  [
    /^version https:\/\/(?:git-lfs|hawser)\.github\.com\/spec\//,
    'a Git LFS pointer, not the file itself: run "git lfs pull" where it was cloned',
  ],
  [
    /^\s*(?:<!--.*?-->\s*)?<(?:!doctype html|html|head|body|title|script|meta)\b/is,
    'an HTML page, not the file itself: download it from its address with /resolve/ instead of /blob/, with a token where one is needed',
  ],
  [/^\s*<(?:\?xml|Error)\b/, 'an XML document, as storage services answer with an error: download it again'],
];

/**
 * What a file is that came in place of another, and what to do about it: "a Git LFS pointer, ...". Undefined
 * where nothing is known of it.
 *
 * @param prefix the first 512 bytes, or more
 */
export function foreignContent(prefix: Uint8Array): string | undefined {
  const start = Buffer.from(prefix.subarray(0, FOREIGN_PREFIX_BYTES)).toString('latin1');
  const magic = MAGIC.find(([bytes]) => start.startsWith(bytes));
  if (magic) return magic[1];
  const text = start.replace(/^\xef\xbb\xbf/, '');
  return TEXTS.find(([pattern]) => pattern.test(text))?.[1];
}

/**
 * As `foreignContent`, in place of weights: any readable text is foreign there, and so are zeros.
 *
 * @param prefix the first 512 bytes, or the whole of a shorter file
 */
export function foreignWeights(prefix: Uint8Array): string | undefined {
  const foreign = foreignContent(prefix);
  if (foreign || prefix.length === 0) return foreign;
  if (prefix.every((byte) => byte === 0)) return 'nothing but zeros at its beginning: download it again';
  const text = Buffer.from(prefix).toString('latin1');
  if (!/^[\t\n\r\x20-\x7e]+$/.test(text)) return undefined;
  return `text, not weights: ${quoteName(text.trim().slice(0, 80))}`;
}
