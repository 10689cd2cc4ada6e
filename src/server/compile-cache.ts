import { enableCompileCache, flushCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

/** When what was compiled is written down: after the start, which it must not slow. */
const FLUSH_AFTER_MS = 2_000;

/**
 * Keeps compiled and stripped sources in `node_modules/.cache`, a folder of the clone's owner: a shared one could be tampered with. Where it cannot be
 * written nothing is kept and everything works. Once a thread.
 */
export function useCompileCache(): void {
  enableCompileCache(fileURLToPath(new URL('../../node_modules/.cache/belfry', import.meta.url)));
  setTimeout(flushCompileCache, FLUSH_AFTER_MS).unref();
}
