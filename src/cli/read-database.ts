import type { ParsedFlags } from '#server/flags.ts';
import { openReadOnly } from '#store/engine/read-only.ts';
import type { ReadOnlyDatabase } from '#store/engine/read-only-database.ts';
import { databaseOf } from './command.ts';

/** Runs `work` on a snapshot of the database that the flags of a command name (`DATA`, `DATABASE`). */
export async function readDatabase<Result>(parsed: ParsedFlags, work: (database: ReadOnlyDatabase) => Promise<Result>): Promise<Result> {
  const database = await openReadOnly(databaseOf(parsed));
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}
