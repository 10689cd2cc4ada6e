/** Turns of servers: of several servers with one database, one does a background task. */
import type { Tx } from '#store/store.ts';
import type { Work } from './events.ts';

/** Time after the last step of a server at which another server takes its turn. */
const TURN_MS = 30_000;
/** Interval at which a server prolongs its turn. */
const PROLONG_MS = 10_000;

/** Takes or prolongs the turn of a server for a task. Returns false if another server has the turn. `name` is a key of the table `meta`. */
export async function takeTurn({ tx, now }: Pick<Work, 'tx' | 'now'>, name: string, serverId: string): Promise<boolean> {
  const { id, until } = await readTurn(tx, name);
  // A time that is further ahead was stored while a clock was wrong.
  const isHeld = until > now && until <= now + 2 * TURN_MS;
  if (isHeld && id !== serverId) return false;
  if (!isHeld || until < now + TURN_MS - PROLONG_MS) await tx.meta.put(name, JSON.stringify({ id: serverId, until: now + TURN_MS }));
  return true;
}

async function readTurn(tx: Tx, name: string): Promise<{ readonly id: string; readonly until: number }> {
  const stored = await tx.meta.get(name);
  return stored === undefined ? { id: '', until: 0 } : (JSON.parse(stored) as { readonly id: string; readonly until: number });
}
