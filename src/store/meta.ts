import type { Sql } from './sql.ts';
import { table, text } from './table.ts';

/**
 * Values by name, such as a fingerprint of the operator key, which encrypts the secrets in the database. The table is
 * small and rarely written.
 */
export const META = table('meta', { columns: { name: text, value: text }, key: ['name'] });

export interface Meta {
  get(name: string): Promise<string | undefined>;
  /** Stores a value, in place of an earlier one. */
  put(name: string, value: string): Promise<void>;
  /**
   * Stores a value if the name has none. Returns 'exists' and changes nothing if the name has a value. If several
   * servers start at the same time, only the first one stores its value.
   */
  add(name: string, value: string): Promise<'added' | 'exists'>;
}

export function meta(sql: Sql): Meta {
  return {
    get: async (name) => (await META.get(sql, name))?.value,
    put: (name, value) => META.put(sql, { name, value }),
    add: (name, value) => META.add(sql, { name, value }),
  };
}
