import { enableCompileCache, flushCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

/**
 * Folder of compiled sources. It belongs to the owner of the clone, because others could tamper with a shared one. If it is not
 * writable, the server runs without a cache. `bin/belfry.mjs` uses the same folder.
 */
export const COMPILE_CACHE =
  process.env['NODE_COMPILE_CACHE'] ?? fileURLToPath(new URL('../../node_modules/.cache/belfry', import.meta.url));

/** Delay before compiled sources are written to disk, so that the write does not slow down the start. */
const FLUSH_AFTER_MS = 2_000;

/** Enables the cache of compiled sources for modules that are loaded later. Call it once in each thread. */
export function useCompileCache(): void {
  enableCompileCache(COMPILE_CACHE);
  setTimeout(flushCompileCache, FLUSH_AFTER_MS).unref();
}
