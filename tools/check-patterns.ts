/**
 * Checks that matching a compiled pattern of the models takes at most linear time for any input. Caches the patterns
 * that pass in `node_modules/.cache`. The cache is valid for one version of the checker.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { checkSync } from 'recheck';
import { loadModel } from '#model/load.ts';
import { compiledPattern } from '#model/patterns.ts';
import { SERVICE_NAMES } from '#model/services.ts';

/**
 * Time limit for each pattern. If the time is not enough to decide, the pattern is reported, but the check does not
 * fail, because the length of the pattern's input is bounded.
 */
const CHECK_MAX_MS = 2_000;

const CACHE_FOLDER = fileURLToPath(new URL('../node_modules/.cache/belfry', import.meta.url));
const CACHE_FILE = `${CACHE_FOLDER}/patterns.json`;

interface Cache {
  readonly version: string;
  readonly safe: readonly string[];
}

/** Returns the distinct regular expressions to which the patterns of the models compile. */
export function distinctPatterns(): readonly RegExp[] {
  const found = new Map<string, RegExp>();
  for (const service of SERVICE_NAMES) {
    for (const { pattern } of Object.values(loadModel(service).shapes)) {
      const compiled = pattern === undefined ? undefined : compiledPattern(pattern);
      if (compiled instanceof RegExp) found.set(String(compiled), compiled);
    }
  }
  return [...found.values()];
}

if (import.meta.main) {
  const { version } = createRequire(import.meta.url)('recheck/package.json') as { version: string };
  const safe = new Set(readCache(version));
  const patterns = distinctPatterns();
  const vulnerable: string[] = [];
  const undecided: string[] = [];
  for (const pattern of patterns) {
    if (safe.has(String(pattern))) continue;
    const found = checkSync(pattern.source, pattern.flags, { timeout: CHECK_MAX_MS });
    if (found.status === 'safe') safe.add(String(pattern));
    else if (found.status === 'vulnerable') vulnerable.push(`${found.complexity.summary}: ${pattern}`);
    else undecided.push(String(pattern));
  }
  mkdirSync(CACHE_FOLDER, { recursive: true });
  writeFileSync(CACHE_FILE, JSON.stringify({ version, safe: [...safe].sort() } satisfies Cache));
  for (const pattern of undecided) console.log(`undecided after ${CHECK_MAX_MS} ms: ${pattern}`);
  for (const pattern of vulnerable) console.error(`vulnerable: ${pattern}`);
  console.log(`${patterns.length} patterns: ${vulnerable.length} vulnerable, ${undecided.length} undecided`);
  process.exitCode = vulnerable.length > 0 ? 1 : 0;
}

function readCache(version: string): readonly string[] {
  try {
    const found = JSON.parse(readFileSync(CACHE_FILE, 'utf8')) as Cache;
    return found.version === version ? found.safe : [];
  } catch {
    return [];
  }
}
