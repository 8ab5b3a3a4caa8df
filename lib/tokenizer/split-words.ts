const WHITE_SPACE = /\p{White_Space}+/gu;

/**
 * The words of CLIP: English contractions, runs of letters, single digits, runs of anything else. The literal
 * special tokens come first, in three parts, because transformers finds them whole and its byte-level step
 * then takes them apart; without them `<|endoftext|>??` would end in the word `|>??`.
 */
const WORDS =
  /(<\|)(startoftext|endoftext)(\|>)|'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\p{White_Space}\p{L}\p{N}]+/gu;

/**
 * Text as CLIP sees it: NFC, any white space one space, lower case.
 *
 * transformers lower-cases each code point for itself. JavaScript does too, but for a sigma at the end of a
 * word; a sigma that is small already stays as it is. White space is Unicode's, not that of `\s`, which takes
 * U+FEFF and leaves U+0085.
 */
export function normalise(text: string): string {
  return text.normalize('NFC').replace(WHITE_SPACE, ' ').replaceAll('Σ', 'σ').toLowerCase();
}

/** @param text normalised */
export function* splitWords(text: string): Generator<string> {
  for (const [word, ...parts] of text.matchAll(WORDS)) {
    if (parts[0] === undefined) yield word;
    else yield* parts;
  }
}
