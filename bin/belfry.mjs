#!/usr/bin/env node
// The command `belfry`: src/main.ts under Node 24.
import { fileURLToPath } from 'node:url';
import { isNewEnough, runUnderNode24 } from './node24.mjs';

const main = new URL('../src/main.ts', import.meta.url);
try {
  if (isNewEnough()) await import(main.href);
  else runUnderNode24([fileURLToPath(main), ...process.argv.slice(2)]);
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
