/** `npm run check`: checks types, format, lint rules, generated files, patterns, SQL and imports. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const CHECKS: readonly (readonly [name: string, command: string, ...args: string[]])[] = [
  // The compiler checks only what changed since the last run.
  ['types', 'node_modules/.bin/tsc', '-p', '.', '--incremental', '--tsBuildInfoFile', 'node_modules/.cache/belfry/types.tsbuildinfo'],
  ['format and lint', 'node_modules/.bin/biome', 'check', '--diagnostic-level=warn', '--error-on-warnings', '.'],
  ['generated files', process.execPath, 'tools/generate.ts', '--check'],
  ['published patterns', process.execPath, 'tools/check-patterns.ts'],
  ['SQL of both dialects', process.execPath, 'tools/check-sql.ts'],
  ['imports', process.execPath, 'tools/check-imports.ts'],
  ['parity page and README', process.execPath, 'tools/parity.ts', '--check'],
  ['redaction page', process.execPath, 'tools/redaction.ts', '--check'],
  ['responsibility matrix', process.execPath, 'tools/responsibility.ts', '--check'],
  ['page of own operations', process.execPath, 'tools/own-operations.ts', '--check'],
];

let failed = 0;
for (const [name, command, ...args] of CHECKS) {
  if (command === process.execPath && !existsSync(args[0] as string)) continue;
  const done = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (done.status === 0) {
    console.log(`check: ${name}: passed`);
    continue;
  }
  failed += 1;
  console.log(`check: ${name}: failed\n${done.stdout ?? ''}${done.stderr ?? ''}${done.error?.message ?? ''}`);
}
process.exit(failed === 0 ? 0 : 1);
