import { enableCompileCache, flushCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

/**
 * Where compiled and stripped sources are kept: a folder of the clone's owner, because a shared one could be tampered with. Where it cannot
 * be written nothing is kept and everything works. `bin/belfry.mjs` names the same one.
 */
export const COMPILE_CACHE =
  process.env['NODE_COMPILE_CACHE'] ?? fileURLToPath(new URL('../../node_modules/.cache/belfry', import.meta.url));

/** When what was compiled is written down: after the start, which it must not slow. */
const FLUSH_AFTER_MS = 2_000;

/** Keeps compiled sources from here on, where this was not done before the first of them was read. Once a thread. */
export function useCompileCache(): void {
  enableCompileCache(COMPILE_CACHE);
  setTimeout(flushCompileCache, FLUSH_AFTER_MS).unref();
}
