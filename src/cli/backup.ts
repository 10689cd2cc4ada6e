import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { backupSqlite } from '#store/engine/backup.ts';
import { wantsHelp } from './help.ts';

const USAGE = `belfry backup TARGET [--data FOLDER]

  Writes a consistent copy of the SQLite database to the new folder TARGET. The server can be running.
  The copy does not contain the operator key: keep data/operator.key in a separate place. For PostgreSQL, use its own tools.
`;

/** Runs `belfry backup`. Returns the exit status. */
export function backupCommand(args: readonly string[]): number {
  if (wantsHelp(args)) {
    console.log(USAGE);
    return 0;
  }
  try {
    const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options: { data: { type: 'string' } } });
    const [target] = positionals;
    if (target === undefined || positionals.length !== 1) {
      console.error(USAGE);
      return 2;
    }
    if (existsSync(target)) throw new Error(`'${target}' already exists; specify a new folder`);
    backupSqlite(resolve(values.data ?? process.env['BELFRY_DATA'] ?? './data'), resolve(target));
    console.log(`belfry backup: copied the database to '${target}'; keep a copy of operator.key in a separate place`);
    return 0;
  } catch (error) {
    console.error(`belfry backup: ${(error as Error).message}`);
    return 1;
  }
}
