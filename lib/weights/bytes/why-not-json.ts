/** What people and other languages write that JSON has not; sought outside strings. */
const FAULTS: readonly (readonly [RegExp, string])[] = [
  [/\/[/*]|^[ \t]*#/m, 'a comment, which JSON has not'],
  [/,\s*[}\]]/, 'a comma before a closing bracket'],
  [/'/, 'single quotes where JSON has double ones'],
  [/[{,]\s*[A-Za-z$][\w$]*\s*:/, 'a name without double quotes around it'],
  [/\b(?:NaN|Infinity)\b/, 'a number that JSON has not (NaN, Infinity)'],
  [/\b(?:True|False|None)\b/, 'True, False or None where JSON has true, false and null'],
];

/**
 * Why a text is not JSON, for people: what `JSON.parse` says of it differs from version to version and quotes
 * the file.
 */
export function whyNotJson(text: string): string {
  if (text.trim() === '') return 'it is empty';
  const { bare, depth } = withoutStrings(text);
  for (const [pattern, what] of FAULTS) {
    const at = bare.search(pattern);
    if (at >= 0) return `line ${lineOf(bare, at)} has ${what}`;
  }
  return depth > 0 ? 'it ends too early' : 'it cannot be parsed';
}

/** The first name that an object gives twice. @param text JSON */
export function findRepeatedName(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = [];
  const colon = /\s*:/y;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '{') open.push(new Set());
    else if (character === '[') open.push(undefined);
    else if (character === '}' || character === ']') open.pop();
    if (character !== '"') continue;
    const start = i;
    i = endOfString(text, start);
    colon.lastIndex = i + 1;
    if (!colon.test(text)) continue;
    const name = JSON.parse(text.slice(start, i + 1)) as string;
    if (open.at(-1)?.has(name)) return name;
    open.at(-1)?.add(name);
  }
  return undefined;
}

/** Every string becomes as many `_`, so that places and lines stay. */
function withoutStrings(text: string): { readonly bare: string; readonly depth: number } {
  const pieces: string[] = [];
  let depth = 0;
  let end = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '{' || character === '[') depth += 1;
    else if (character === '}' || character === ']') depth -= 1;
    if (character !== '"') continue;
    const close = endOfString(text, i);
    // An end that never comes.
    if (close >= text.length) depth += 1;
    pieces.push(text.slice(end, i), text.slice(i, close + 1).replace(/[^\n]/g, '_'));
    i = close;
    end = close + 1;
  }
  return { bare: pieces.join('') + text.slice(end), depth };
}

/** Where the string that begins at `start` has its closing quote; beyond the text where it has none. */
function endOfString(text: string, start: number): number {
  let i = start + 1;
  while (i < text.length && text[i] !== '"') i += text[i] === '\\' ? 2 : 1;
  return i;
}

function lineOf(text: string, at: number): number {
  return text.slice(0, at).split('\n').length;
}
