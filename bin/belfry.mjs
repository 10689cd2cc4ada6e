#!/usr/bin/env -S node --max-semi-space-size=4
// The command `belfry`. Runs src/main.ts with Node 24. The option above, also in `npm start`, limits the heap for new objects in the main
// thread to 12 MB. With the default of 48 MB, the server occupies 100 MB more under load and is not faster (docs/performance.md).
import module from 'node:module';
import { fileURLToPath } from 'node:url';
import { isNewEnough, runUnderNode24 } from './node24.mjs';

const main = new URL('../src/main.ts', import.meta.url);
// Sets the folder of Node's compile cache before the first import. Node loads its type stripper only for a source that
// is not in the cache. The stripper costs 10 MiB and 60 ms in each thread.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL('../node_modules/.cache/belfry', import.meta.url));
try {
  if (isNewEnough()) {
    module.enableCompileCache(process.env.NODE_COMPILE_CACHE);
    await import(main.href);
  } else runUnderNode24([fileURLToPath(main), ...process.argv.slice(2)]);
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
