import type { Store, StoreOptions } from '../store.ts';
import { databaseFolder } from './database-folder.ts';
import { openSqlite } from './sqlite.ts';

/**
 * Opens what the setting `BELFRY_DATABASE` names: `file:./data` (a folder, relative to the working directory), `file::memory:`,
 * or `postgres://…`.
 *
 * @throws Error where the setting names neither; the text does not repeat the setting, which may hold a password
 */
export async function openStore(setting: string, options: StoreOptions): Promise<Store> {
  if (setting.startsWith('postgres://') || setting.startsWith('postgresql://')) {
    // Only here: the embedded engine does not need the driver.
    const { openPostgres } = await import('./postgres.ts');
    return openPostgres(setting, options);
  }
  if (setting === 'file::memory:') return openSqlite(':memory:', options);
  const folder = databaseFolder(setting);
  if (folder !== undefined) return openSqlite(folder, options);
  throw new Error('The database setting must begin with file: or postgres://.');
}
