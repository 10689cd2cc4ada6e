/** Loading of modules: the cache of compiled sources, and the resolution of imports between sources. */
import { enableCompileCache, flushCompileCache, registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

/**
 * Folder of compiled sources. The default folder is inside the clone of the repository, so it belongs to the owner of
 * the clone. In a folder that users share, other users could change the compiled code. If the folder is not writable,
 * the server runs without a cache. `bin/belfry.mjs` uses the same folder.
 */
export const COMPILE_CACHE =
  process.env['NODE_COMPILE_CACHE'] ?? fileURLToPath(new URL('../../node_modules/.cache/belfry', import.meta.url));

/** Delay before compiled sources are written to disk, so that the write does not slow down the start. */
const FLUSH_AFTER_MS = 2_000;

const SOURCES = new URL('../', import.meta.url).href;

/** Speeds up the loading of later modules. Call it once in each thread, before the thread loads its program. */
export function prepareLoading(): void {
  enableCompileCache(COMPILE_CACHE);
  setTimeout(flushCompileCache, FLUSH_AFTER_MS).unref();
  resolveSourcesDirectly();
}

/**
 * Resolves imports between sources without Node's lookups of package scope, real path and format. These lookups took a
 * fifth of the core's loading time. `package.json` maps `#part/file.ts` to `src/part/file.ts`, and every source is a
 * module in TypeScript.
 */
function resolveSourcesDirectly(): void {
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const { parentURL = '' } = context;
      if (!specifier.endsWith('.ts') || !parentURL.startsWith(SOURCES)) return nextResolve(specifier, context);
      const url = specifier.startsWith('#') ? SOURCES + specifier.slice(1) : new URL(specifier, parentURL).href;
      return { url, format: 'module-typescript', shortCircuit: true };
    },
  });
}
