import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { backupSqlite } from '#store/backup.ts';

const USAGE = `belfry backup TARGET [--data FOLDER]

  Writes a consistent copy of the SQLite database into the new folder TARGET, while the server runs or not.
  The operator key is not in it: keep data/operator.key apart. Of PostgreSQL, use its own tools.
`;

/** `belfry backup`: returns the exit status. */
export function backupCommand(args: readonly string[]): number {
  try {
    const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options: { data: { type: 'string' } } });
    const [target] = positionals;
    if (target === undefined || positionals.length !== 1) {
      console.error(USAGE);
      return 2;
    }
    if (existsSync(target)) throw new Error(`${target} is there already; name a new folder`);
    backupSqlite(resolve(values.data ?? process.env['BELFRY_DATA'] ?? './data'), resolve(target));
    console.log(`Copied to ${target}. Keep the operator key with it, in another place.`);
    return 0;
  } catch (error) {
    console.error(`belfry backup: ${(error as Error).message}`);
    return 1;
  }
}
