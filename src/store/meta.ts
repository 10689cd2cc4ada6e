import type { Sql } from './sql.ts';
import { table, text } from './table.ts';

/** Values by name, such as the check value of the operator key. Small and rarely written. */
export const META = table('meta', { columns: { name: text, value: text }, key: ['name'] });

export interface Meta {
  get(name: string): Promise<string | undefined>;
  /** Stores a value, in place of an earlier one. */
  put(name: string, value: string): Promise<void>;
  /** 'exists': the name has a value, which stays unchanged. If several servers start, the value of the first one is stored. */
  add(name: string, value: string): Promise<'added' | 'exists'>;
}

export function meta(sql: Sql): Meta {
  return {
    get: async (name) => (await META.get(sql, name))?.value,
    put: (name, value) => META.put(sql, { name, value }),
    add: (name, value) => META.add(sql, { name, value }),
  };
}
