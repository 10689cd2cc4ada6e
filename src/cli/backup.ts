import { existsSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Flag, FlagError, type ParsedFlags } from '#server/flags.ts';
import { backupWithObjects } from '#server/object-backup.ts';
import { backupSqlite } from '#store/engine/backup.ts';
import { databaseFolder } from '#store/engine/database-folder.ts';
import { DATA, dataFolderOf, runSingleCommand } from './command.ts';

const USAGE = `belfry backup TARGET [--data FOLDER] [--database URL]

  Writes a consistent copy of the SQLite database, and of the objects in log buckets, to the new folder TARGET. The server can be running.
  The copy does not contain the operator key: keep data/operator.key in a separate place.
  For PostgreSQL, the command prints the command of PostgreSQL that writes the backup.

  --data FOLDER    the data folder (default: BELFRY_DATA, or ./data)
  --database URL   the database, if it is not in the data folder (default: BELFRY_DATABASE)
`;

const DATABASE: Flag = { flag: '--database', valid: 'file:FOLDER or postgres://…' };

/** Runs `belfry backup`. Resolves to the exit status. */
export function backupCommand(args: readonly string[]): Promise<number> {
  return runSingleCommand('backup', USAGE, { flags: [DATA, DATABASE], operand: 'TARGET', run: backup }, args);
}

function backup(parsed: ParsedFlags): number {
  const [target, ...others] = parsed.positionals;
  if (target === undefined) throw new FlagError('missing folder: TARGET');
  if (others.length > 0) throw new FlagError(`unexpected argument '${others[0]}'; the only folder is TARGET`);
  const database = parsed.values.get(DATABASE.flag) ?? process.env['BELFRY_DATABASE'];
  if (database === 'file::memory:') throw new Error('the database is in memory, so there are no files to copy');
  const folder = database === undefined ? dataFolderOf(parsed) : databaseFolder(database);
  if (folder === undefined) throw new Error(`the database is PostgreSQL; ${postgresCommand(target)}`);
  if (!existsSync(join(folder, 'belfry.db'))) {
    throw new Error(
      `there is no SQLite database in '${folder}'; set its folder with --data. If the database is PostgreSQL, ${postgresCommand(target)}`,
    );
  }
  if (existsSync(target)) throw new Error(`'${target}' already exists; specify a new folder`);
  // Creates the files of the backup with permissions for their owner only.
  process.umask(0o077);
  try {
    backupWithObjects(dataFolderOf(parsed), resolve(target), () => backupSqlite(folder, resolve(target)));
  } catch (error) {
    rmSync(target, { recursive: true, force: true });
    throw error;
  }
  console.log(`belfry backup: copied the database and the objects to '${target}'; keep a copy of operator.key in a separate place`);
  return 0;
}

/**
 * Returns the backup command for PostgreSQL. The command contains the name of the environment variable
 * `BELFRY_DATABASE` instead of its value, which can contain a password.
 */
function postgresCommand(target: string): string {
  return `run: (umask 077; pg_dump --format=custom --file='${target.replaceAll("'", "'\\''")}.dump' "$BELFRY_DATABASE")`;
}
