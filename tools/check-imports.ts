/**
 * Checks the imports of `src`. Each file imports only from lower layers and from its own part. Files do not import each
 * other in a circle. See ARCHITECTURE.md.
 * The check covers static, dynamic and type imports and worker threads, with relative paths or with `#`. It does not
 * cover packages.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Parts (folders of `src`) by layer, from the lowest. `services/*` is any service folder that is not listed. */
// biome-ignore format: a table
const LAYERS: readonly (readonly string[])[] = [
  ['core'],
  ['model', 'policy', 'sigv4', 'store', 'tlog'],
  ['wire', 'access', 'trail', 'services/kit'],
  ['services/iam'],
  ['services/chime-kit'],
  ['services/*'],
  ['events'],
  ['realtime', 'delivery', 'media'],
  ['server'],
  ['compliance'],
  ['cli'],
];

/**
 * Imports and circles that the check still allows, although they should be removed. The check reports entries that are
 * no longer needed. Do not add entries.
 */
export interface Exceptions {
  /** Allowed imports of a file that is not in a lower layer, as `<importing file> → <imported file>`. */
  readonly imports: readonly string[];
  /**
   * Lists of paths without `src/`. The files of a list may import each other in a circle. A circle of only some of
   * these files is also allowed.
   */
  readonly circles: readonly (readonly string[])[];
}

const EXCEPTIONS: Exceptions = {
  imports: [],
  circles: [],
};

/**
 * Matches import statements, `import()` expressions and import types. The capturing group is the path or package that
 * is imported.
 */
const IMPORT = /(?:\bfrom\s*|\bimport\s*\(\s*|^\s*import\s*)'([^']+)'/gm;
/** URLs of worker threads. These imports must follow the layers, but do not form circles, because a thread loads its own modules. */
const WORKER = /\bnew URL\(\s*'([^']+)'/g;
const COMMENT = /^\s*(?:\/\*[\s\S]*?\*\/|\/\/.*$)/gm;

/**
 * Returns the problems of a source tree, and the exceptions that are no longer needed.
 *
 *     new Map([['src/core/a.ts', "import '#policy/b.ts';"], ['src/policy/b.ts', '']])
 *       → ["src/core/a.ts: imports src/policy/b.ts, but 'policy' is not below 'core'"]
 *
 * `sources` has the content of each file by its path. Problems of imports come first, in the order of the files.
 */
export function checkImports(sources: ReadonlyMap<string, string>, exceptions: Exceptions): { problems: string[]; unneeded: string[] } {
  const problems: string[] = [];
  const imports = new Map([...sources].map(([path, source]) => [path, importsOf(path, source, IMPORT)]));
  const used = new Set<unknown>();
  for (const [path, targets] of imports) {
    for (const target of [...targets, ...importsOf(path, sources.get(path) as string, WORKER)]) {
      const problem = problemOf(path, target, sources);
      const exception = `${path} → ${target}`;
      if (problem === undefined) continue;
      if (exceptions.imports.includes(exception)) used.add(exception);
      else problems.push(`${path}: ${problem}`);
    }
  }
  for (const circle of circlesOf(imports)) {
    const allowed = exceptions.circles.find((listed) => circle.every((path) => listed.includes(path.slice('src/'.length))));
    if (allowed !== undefined) used.add(allowed);
    else problems.push(`circle of ${circle.length} files: ${shortestPath(circle, imports).join(' → ')}`);
  }
  const unneeded = [...exceptions.imports, ...exceptions.circles].filter((each) => !used.has(each));
  return { problems, unneeded: unneeded.map((each) => (typeof each === 'string' ? each : each.join(', '))) };
}

/** Returns the paths of the files that a file imports, without duplicates and without packages. */
function importsOf(path: string, source: string, pattern: RegExp): readonly string[] {
  const found = new Set<string>();
  for (const [, specifier] of source.replaceAll(COMMENT, '').matchAll(pattern) as Iterable<[string, string]>) {
    if (!specifier.endsWith('.ts')) continue;
    if (specifier.startsWith('#')) found.add(`src/${specifier.slice(1)}`);
    else if (specifier.startsWith('.')) found.add(posix.join(posix.dirname(path), specifier));
  }
  return [...found];
}

/** Returns the problem of one import. `src/main.ts` may import every file. */
function problemOf(path: string, target: string, sources: ReadonlyMap<string, string>): string | undefined {
  if (path === 'src/main.ts') return undefined;
  if (!sources.has(target)) return `imports ${target}, which does not exist, is a test or is outside src`;
  const [own, other] = [partOf(path), partOf(target)];
  if (own === other) return undefined;
  const [ownLayer, otherLayer] = [layerOf(own), layerOf(other)];
  if (ownLayer < 0) return `'${own}' is in no layer`;
  if (otherLayer < 0) return `imports ${target}, but '${other}' is in no layer`;
  return otherLayer < ownLayer ? undefined : `imports ${target}, but '${other}' is not below '${own}'`;
}

/** Returns the part of a file: `policy`, or `services/iam`. */
function partOf(path: string): string {
  const [, first, second, ...rest] = path.split('/') as [string, string, ...string[]];
  return first === 'services' && rest.length > 0 ? `services/${second}` : first;
}

function layerOf(part: string): number {
  const listed = LAYERS.findIndex((parts) => parts.includes(part));
  return listed < 0 && part.startsWith('services/') ? LAYERS.findIndex((parts) => parts.includes('services/*')) : listed;
}

/** Returns the circles: the largest sets of files in which every file imports every other file, directly or through others (Tarjan). */
function circlesOf(imports: ReadonlyMap<string, readonly string[]>): readonly (readonly string[])[] {
  const circles: string[][] = [];
  const numbers = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const visit = (path: string): void => {
    numbers.set(path, numbers.size);
    lowest.set(path, numbers.size - 1);
    stack.push(path);
    for (const target of imports.get(path) ?? []) {
      if (!imports.has(target)) continue;
      if (!numbers.has(target)) visit(target);
      if (stack.includes(target)) lowest.set(path, Math.min(lowest.get(path) as number, lowest.get(target) as number));
    }
    if (lowest.get(path) !== numbers.get(path)) return;
    const circle = stack.splice(stack.indexOf(path)).toSorted();
    if (circle.length > 1 || imports.get(path)?.includes(path)) circles.push(circle);
  };
  for (const path of imports.keys()) if (!numbers.has(path)) visit(path);
  return circles;
}

/** Returns the shortest path from the first file of a circle back to itself. */
function shortestPath(circle: readonly string[], imports: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const first = circle[0] as string;
  const paths: string[][] = [[first]];
  const seen = new Set<string>();
  for (const path of paths) {
    for (const target of imports.get(path.at(-1) as string) ?? []) {
      if (target === first) return [...path, first];
      if (!circle.includes(target) || seen.has(target)) continue;
      seen.add(target);
      paths.push([...path, target]);
    }
  }
  return circle;
}

/** Reads the TypeScript files of `src`, except tests. */
function readSources(): ReadonlyMap<string, string> {
  const files = readdirSync('src', { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts'),
  );
  const paths = files.map((entry) => join(entry.parentPath, entry.name).replaceAll('\\', '/'));
  return new Map(paths.map((path) => [path, readFileSync(path, 'utf8')]));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { problems, unneeded } = checkImports(readSources(), EXCEPTIONS);
  for (const each of unneeded) console.log(`note: this exception in tools/check-imports.ts is no longer needed: ${each}`);
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exit(1);
}
