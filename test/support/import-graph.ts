import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

/** One import as it stands in a source file. */
export interface Import {
  /** The importing file, relative to the root. */
  readonly from: string;
  /** The imported file relative to the root, or a package's name. */
  readonly to: string;
}

export interface Rule {
  readonly name: string;
  readonly breaks: (edge: Import) => boolean;
}

const SPECIFIER = /(?:\bfrom|\bimport)\s*\(?\s*(['"])([^'"]+)\1/g;
/** A module that runs as a thread or a process is named so. */
const MODULE_URL = /\bnew URL\(\s*(['"])(\.[^'"]+\.js)\1,\s*import\.meta\.url/g;

/** Every import, re-export, dynamic import and module URL of a source. */
export function importsOf(from: string, source: string): Import[] {
  return [...source.matchAll(SPECIFIER), ...source.matchAll(MODULE_URL)].map((match) => {
    const specifier = match[2] as string;
    if (!specifier.startsWith('.')) return { from, to: specifier };
    const path = normalize(join(dirname(from), specifier));
    return { from, to: path.replace(/^dist\//, '').replace(/\.js$/, '.ts') };
  });
}

/** The source files below `folders`, relative to `root`, with their text. */
export function readSources(root: string, folders: readonly string[]): Map<string, string> {
  const files = new Map<string, string>();
  for (const folder of folders) {
    for (const name of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })) {
      if (/\.m?ts$|\.mjs$/.test(name))
        files.set(join(folder, name), readFileSync(join(root, folder, name), 'utf8'));
    }
  }
  return files;
}

/** A line for each import that a rule forbids. */
export function violations(edges: readonly Import[], rules: readonly Rule[]): string[] {
  return rules.flatMap((rule) =>
    edges.filter(rule.breaks).map(({ from, to }) => `${rule.name}: ${from} imports ${to}`),
  );
}

/** A file that imports itself by way of others, if there is one, with the way. */
export function findCycle(edges: readonly Import[]): string[] | undefined {
  const next = groupByFrom(edges);
  const done = new Set<string>();
  const visit = (file: string, way: readonly string[]): string[] | undefined => {
    if (way.includes(file)) return [...way.slice(way.indexOf(file)), file];
    if (done.has(file)) return undefined;
    for (const { to } of next.get(file) ?? []) {
      const cycle = visit(to, [...way, file]);
      if (cycle) return cycle;
    }
    done.add(file);
    return undefined;
  };
  for (const file of next.keys()) {
    const cycle = visit(file, []);
    if (cycle) return cycle;
  }
  return undefined;
}

function groupByFrom(edges: readonly Import[]): Map<string, Import[]> {
  const groups = new Map<string, Import[]>();
  for (const edge of edges) groups.set(edge.from, [...(groups.get(edge.from) ?? []), edge]);
  return groups;
}
