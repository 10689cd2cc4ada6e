#!/usr/bin/env node
// The command `belfry`: src/main.ts under Node 24.
import module from 'node:module';
import { fileURLToPath } from 'node:url';
import { isNewEnough, runUnderNode24 } from './node24.mjs';

const main = new URL('../src/main.ts', import.meta.url);
// Before the first source is read: one that is not in the cache brings the stripper of types with it, 10 MiB and 60 ms in each thread.
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
