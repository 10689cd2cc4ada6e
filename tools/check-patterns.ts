/**
 * Fails where a pattern of the models, as it is run, can be made to take exponential or polynomial time by a caller's text.
 * What was found safe is remembered in `node_modules/.cache`, by pattern and version of the checker.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { checkSync } from 'recheck';
import { loadModel } from '#model/load.ts';
import { SERVICE_NAMES } from '#model/model.ts';
import { compiledPattern } from '#model/patterns.ts';

/** Per pattern. What takes longer is undecided, which is reported and is no failure: the length of its text is bounded. */
const CHECK_MAX_MS = 2_000;

const CACHE_FOLDER = fileURLToPath(new URL('../node_modules/.cache/belfry', import.meta.url));
const CACHE_FILE = `${CACHE_FOLDER}/patterns.json`;

interface Remembered {
  readonly version: string;
  readonly safe: readonly string[];
}

/** The distinct regular expressions that the models' patterns are run as. */
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
  const safe = new Set(remembered(version));
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
  writeFileSync(CACHE_FILE, JSON.stringify({ version, safe: [...safe].sort() } satisfies Remembered));
  for (const pattern of undecided) console.log(`undecided after ${CHECK_MAX_MS} ms: ${pattern}`);
  for (const pattern of vulnerable) console.error(`vulnerable, ${pattern}`);
  console.log(`${patterns.length} patterns: ${vulnerable.length} vulnerable, ${undecided.length} undecided`);
  process.exitCode = vulnerable.length > 0 ? 1 : 0;
}

function remembered(version: string): readonly string[] {
  try {
    const found = JSON.parse(readFileSync(CACHE_FILE, 'utf8')) as Remembered;
    return found.version === version ? found.safe : [];
  } catch {
    return [];
  }
}
