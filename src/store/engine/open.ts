import type { Store, StoreOptions } from '../store.ts';
import { databaseFolder } from './database-folder.ts';
import { openSqlite } from './sqlite.ts';

/**
 * Opens the database that `BELFRY_DATABASE` names: `file:./data` (a folder, relative to the working directory), `file::memory:`,
 * or `postgres://…`.
 *
 * @throws Error  the setting has another form. The message does not contain the setting, which may have a password
 */
export async function openStore(setting: string, options: StoreOptions): Promise<Store> {
  if (setting.startsWith('postgres://') || setting.startsWith('postgresql://')) {
    // The import is here, because the embedded engine does not need the driver.
    const { openPostgres } = await import('./postgres.ts');
    return openPostgres(setting, options);
  }
  if (setting === 'file::memory:') return openSqlite(':memory:', options);
  const folder = databaseFolder(setting);
  if (folder !== undefined) return openSqlite(folder, options);
  throw new Error('invalid database setting; it must be file:FOLDER or postgres://…');
}
