import { idempotency } from './idempotency.ts';
import { identity } from './identity.ts';
import { meetings } from './meetings.ts';
import { meta } from './meta.ts';
import { outbox } from './outbox.ts';
import type { Positions } from './position.ts';
import type { Sql, Tx } from './store.ts';
import { insertTrailRows, type TrailRow, trail } from './trail.ts';

/** One run of one transaction's work: what the engine keeps of it beside the connection. */
export interface Run {
  readonly tx: Tx;
  /** Records appended and not yet written: the engine writes them after the work, its own way. */
  readonly pending: TrailRow[];
  flush(): Promise<void>;
  /** Tells those who asked for it that the commit is durable. */
  committed(): void;
}

/** Joins the repositories over one connection; each is made when first used. */
export function startRun(sql: Sql, positions: Positions): Run {
  const pending: TrailRow[] = [];
  const afterCommit: (() => void)[] = [];
  const made: { -readonly [Name in keyof Tx]?: Tx[Name] } = {};
  const flush = async (): Promise<void> => {
    if (pending.length === 0) return;
    await insertTrailRows(sql.run, pending, positions.next);
    pending.length = 0;
  };
  const tx: Tx = {
    sql,
    get identity() {
      return (made.identity ??= identity(sql));
    },
    get meetings() {
      return (made.meetings ??= meetings(sql));
    },
    get trail() {
      return (made.trail ??= trail(sql, pending, flush));
    },
    get idempotency() {
      return (made.idempotency ??= idempotency(sql));
    },
    get meta() {
      return (made.meta ??= meta(sql));
    },
    get outbox() {
      return (made.outbox ??= outbox(sql, positions.nextId));
    },
    afterCommit(fn) {
      afterCommit.push(fn);
    },
  };
  return {
    tx,
    pending,
    flush,
    committed() {
      for (const fn of afterCommit) fn();
    },
  };
}

/** Whether a statement changes anything. A `WITH` only reads: statements that change data inside one are not in the common subset. */
export function isWrite(text: string): boolean {
  return !/^\s*(?:SELECT|WITH)\b/.test(text);
}
