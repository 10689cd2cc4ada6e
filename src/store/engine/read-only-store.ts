/** Repositories on a database that a command reads without the server. */
import { attempts } from '../attempts.ts';
import { idempotency } from '../idempotency.ts';
import { lastUses } from '../identity/last-use.ts';
import { identity } from '../identity/repository.ts';
import { meta } from '../meta.ts';
import { resources } from '../resources.ts';
import type { Store, Tx } from '../store.ts';
import type { ReadOnlyDatabase } from './read-only-database.ts';

/**
 * Returns transactions that all read the snapshot of a database. They cannot change data, and have no repository of the trail, because
 * functions of its own read the trail of such a database.
 */
export function readOnlyStore({ sql }: Pick<ReadOnlyDatabase, 'sql'>): Pick<Store, 'transaction'> {
  const repositories = new Map<unknown, unknown>();
  const tx: Tx = {
    sql,
    identity: identity(sql),
    usedIdentity: undefined,
    resources: resources(sql),
    get trail(): never {
      throw new Error('a database that is open for reading only has no repository of the trail');
    },
    idempotency: idempotency(sql),
    meta: meta(sql),
    lastUses: lastUses(sql),
    attempts: attempts(sql),
    of<Repository>(repository: (connection: typeof sql) => Repository): Repository {
      if (!repositories.has(repository)) repositories.set(repository, repository(sql));
      return repositories.get(repository) as Repository;
    },
    afterCommit: () => {
      throw new Error('a database that is open for reading only has no commits');
    },
  };
  return { transaction: (work) => work(tx) };
}
