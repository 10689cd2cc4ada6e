#!/usr/bin/env node
// The command `belfry`. Runs src/main.ts with Node 24.
import module from 'node:module';
import { fileURLToPath } from 'node:url';
import { isNewEnough, runUnderNode24 } from './node24.mjs';

const main = new URL('../src/main.ts', import.meta.url);
// Set before the first import. A source that is not in the cache loads the type stripper, which costs 10 MiB and 60 ms in each thread.
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
