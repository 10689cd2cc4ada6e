import type { Sql } from './sql.ts';

/** Texts by name: the operator's check value, the deployment's set-up. Small and rarely written. */
export interface Meta {
  get(name: string): Promise<string | undefined>;
  /** Writes over what is there. */
  put(name: string, value: string): Promise<void>;
  /** 'exists' changes nothing: the first of several servers that start together decides. */
  add(name: string, value: string): Promise<'added' | 'exists'>;
}

const SELECT = 'SELECT value FROM meta WHERE name = $1';
const UPSERT = 'INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value';
const INSERT = 'INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING';

export function meta(sql: Sql): Meta {
  return {
    async get(name) {
      return (await sql.row<{ readonly value: string }>(SELECT, [name]))?.value;
    },
    async put(name, value) {
      await sql.run(UPSERT, [name, value]);
    },
    async add(name, value) {
      return (await sql.run(INSERT, [name, value])) === 1 ? 'added' : 'exists';
    },
  };
}
