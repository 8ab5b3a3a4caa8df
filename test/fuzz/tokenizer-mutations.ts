import fc from 'fast-check';
import { isJsonObject } from '../../lib/weights/bytes/parse-json.js';

/** Files by path. */
export type Files = Readonly<Record<string, Uint8Array>>;

/** Changes one file, or which files there are. */
export type Mutation = (files: Files) => Files;

/** So that a counterexample shows what it does. */
function shown(mutation: Mutation, what: unknown): Mutation {
  return Object.assign(mutation, { [fc.toStringMethod]: () => JSON.stringify(what) });
}

const AWKWARD = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  1e30,
  2 ** 20 - 1,
  2 ** 31,
  2 ** 53,
  '',
  ' ',
  '__proto__',
  'constructor',
  '<|endoftext|>',
  '<|ENDOFTEXT|>',
  '</w>',
  'x'.repeat(300),
  '\ud83d',
  '\udc00x',
  'a\nb',
  [],
  {},
  [[]],
  ['<cat>', '<Cat>'],
  { content: '<cat>' },
  { content: '!', lstrip: true, normalized: true, special: true },
  { '0': { content: '!' }, '540': { content: '<cat>' } },
  { direction: 'Left' },
];

/** Keys that the readers know, so that a mutation can bring one in. */
const KEYS = [
  'added_tokens_decoder',
  'additional_special_tokens',
  'extra_special_tokens',
  'pad_token',
  'unk_token',
  'bos_token',
  'image_token',
  'model_max_length',
  'max_len',
  'padding_side',
  'truncation',
  'added_tokens',
  'content',
  'id',
  '__metadata__',
  '__proto__',
  'weight_map',
];

const value = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...AWKWARD) },
  fc.jsonValue({ maxDepth: 3 }),
  fc.integer(),
);

/** Which of `count` things a number stands for. */
const choose = (number: number, count: number) => number % Math.max(1, count);

function edit(files: Files, which: number, change: (bytes: Uint8Array) => Uint8Array): Files {
  const names = Object.keys(files);
  const name = names[choose(which, names.length)];
  const bytes = name === undefined ? undefined : files[name];
  return name === undefined || bytes === undefined ? files : { ...files, [name]: change(bytes) };
}

/** Flipped, inserted, deleted, doubled, cut: of any file. */
const bytesMutation: fc.Arbitrary<Mutation> = fc
  .tuple(
    fc.nat(),
    fc.constantFrom('flip', 'insert', 'delete', 'double', 'cut', 'mark', 'wide'),
    fc.nat(),
    fc.nat(64),
    fc.uint8Array({ minLength: 1, maxLength: 8 }),
  )
  .map(
    ([which, kind, place, length, more]) =>
      (files) =>
        edit(files, which, (bytes) => {
          const at = choose(place, bytes.length);
          const [before, part, after] = [
            bytes.slice(0, at),
            bytes.slice(at, at + length),
            bytes.slice(at + length),
          ];
          if (kind === 'flip')
            return Buffer.concat([before, part.map((byte) => byte ^ (more[0] ?? 1)), after]);
          if (kind === 'insert') return Buffer.concat([before, more, part, after]);
          if (kind === 'delete') return Buffer.concat([before, after]);
          if (kind === 'double') return Buffer.concat([before, part, part, after]);
          if (kind === 'cut') return before;
          if (kind === 'mark') return Buffer.concat([Uint8Array.of(0xef, 0xbb, 0xbf), bytes]);
          return Buffer.from(Buffer.from(bytes).toString(), 'utf16le');
        }),
  );

/** A value somewhere in a JSON file replaced, taken out, or joined by another. */
const jsonMutation: fc.Arbitrary<Mutation> = fc
  .tuple(
    fc.nat(),
    fc.constantFrom('replace', 'delete', 'add', 'swap'),
    fc.array(fc.nat(), { maxLength: 5 }),
    fc.oneof(fc.constantFrom(...KEYS), fc.string({ maxLength: 6 })),
    value,
  )
  .map(
    ([which, kind, path, key, other]) =>
      (files) =>
        edit(files, which, (bytes) => {
          let document: unknown;
          try {
            document = JSON.parse(Buffer.from(bytes).toString());
          } catch {
            return bytes;
          }
          const root = { document };
          let at: Record<string, unknown> = root;
          let name = 'document';
          for (const step of path) {
            const child = at[name];
            if (typeof child !== 'object' || child === null || Object.keys(child).length === 0) break;
            const keys = Object.keys(child);
            [at, name] = [child as Record<string, unknown>, keys[choose(step, keys.length)] as string];
          }
          if (kind === 'delete') delete at[name];
          else if (kind === 'replace') at[name] = other;
          else if (kind === 'swap')
            at[name] = Object.values(at)[choose(path.length * 7, Object.keys(at).length)];
          else if (isJsonObject(at[name])) at[name] = Object.assign({}, at[name], { [key]: other });
          return Buffer.from(JSON.stringify(root.document ?? null));
        }),
  );

/** A file gone, in another's place, or of another kind. */
const folderMutation: fc.Arbitrary<Mutation> = fc
  .tuple(
    fc.nat(),
    fc.nat(),
    fc.constantFrom(
      undefined,
      '',
      'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n',
      '<!DOCTYPE html><html>',
      'PK\x03\x04',
      '{"a":'.repeat(50_000),
      `[${'[],'.repeat(50_000)}[]]`,
      '#version: 0.2\n'.repeat(1000),
    ),
  )
  .map(([which, other, text]) =>
    shown(
      (files) => {
        const names = Object.keys(files);
        const name = names[choose(which, names.length)] as string;
        if (text !== undefined) return { ...files, [name]: Buffer.from(text, 'latin1') };
        const { [name]: bytes = new Uint8Array(), ...rest } = files;
        return other % 2 === 0 ? rest : { ...rest, [names[choose(other, names.length)] as string]: bytes };
      },
      ['folder', which, other, text?.slice(0, 40)],
    ),
  );

/** One to three changes after each other. */
export const mutation: fc.Arbitrary<Mutation> = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: jsonMutation },
      { weight: 2, arbitrary: bytesMutation },
      { weight: 1, arbitrary: folderMutation },
    ),
    { minLength: 1, maxLength: 3 },
  )
  .map((mutations) =>
    shown(
      (files) => mutations.reduce((changed, mutate) => mutate(changed), files),
      mutations.map(fc.stringify),
    ),
  );
