import { lruMap } from '#core/lru-map.ts';
import type { SqliteDriver, SqliteStatement } from './sqlite-driver.ts';
import { isWrite } from './transaction.ts';

/**
 * Maximum number of prepared statements. The code has fewer SQL strings, but some have a variable number of
 * placeholders.
 */
const PREPARED_MAX = 1_000;

/** A prepared statement, and whether it changes data. */
export interface Prepared {
  readonly statement: SqliteStatement;
  readonly writes: boolean;
}

/** Creates the function that prepares each SQL string once. It keeps the most recently used statements. */
export function preparing(db: SqliteDriver): (text: string) => Prepared {
  const prepared = lruMap<string, Prepared>(PREPARED_MAX);
  return (text) => {
    let known = prepared.get(text);
    if (known === undefined) {
      known = { statement: db.prepare(text), writes: isWrite(text) };
      prepared.set(text, known);
    }
    return known;
  };
}
