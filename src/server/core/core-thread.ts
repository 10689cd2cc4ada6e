/** The core's thread begins here, so that its modules come from the cache of compiled sources too. */
import { useCompileCache } from '../compile-cache.ts';

useCompileCache();
await import('./core.ts');
