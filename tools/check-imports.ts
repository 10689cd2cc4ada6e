/** Checks that every module imports only from modules on lower levels, never from its own level or above. See ARCHITECTURE.md. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

// biome-ignore format: a table
const LEVEL: Readonly<Record<string, number>> = {
  core: 0,
  model: 1, policy: 1, sigv4: 1, store: 1,
  wire: 2, access: 2, trail: 2,
  services: 3,
  realtime: 4,
  server: 5, cli: 6,
};

const wrong: string[] = [];
for (const entry of readdirSync('src', { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !entry.name.endsWith('.ts') || entry.name.endsWith('.test.ts')) continue;
  const path = join(entry.parentPath, entry.name);
  const own = path.split('/')[1] as string;
  if (LEVEL[own] === undefined) continue; // src/main.ts may import everything.
  for (const found of readFileSync(path, 'utf8').matchAll(/from '#([a-z0-9-]+)\//g)) {
    const other = found[1] as string;
    const level = LEVEL[other];
    if (level === undefined) wrong.push(`${path}: unknown module '#${other}'`);
    else if (other !== own && level >= (LEVEL[own] as number)) wrong.push(`${path}: imports '#${other}', which is not below '${own}'`);
  }
}
if (wrong.length > 0) {
  console.error(wrong.join('\n'));
  process.exit(1);
}
