import type { PostgresQuery, PostgresRows } from '#store/engine/postgres-pool.ts';
import { conflict, databaseError, openSession, type Session } from './database-session.ts';
import type { World } from './world.ts';

/** Probabilities of faults, for each statement or connection. */
export interface FaultRates {
  /** A serialization failure or a deadlock. */
  readonly conflict: number;
  /** A serialization failure or a deadlock at COMMIT. */
  readonly conflictAtCommit: number;
  /** The connection breaks. The database may still execute the sent statement, but the client receives no response. */
  readonly lost: number;
  /** The database ends the connection, as `pg_terminate_backend` does. */
  readonly terminated: number;
  /** The statement takes longer than the client's time limit. */
  readonly late: number;
  /** Opening a connection exceeds the time limit. */
  readonly refused: number;
}

/** Rates of a database without faults. */
export const NO_FAULTS: FaultRates = { conflict: 0, conflictAtCommit: 0, lost: 0, terminated: 0, late: 0, refused: 0 };

/** Outcome of a statement: `executed`, or one of the faults. */
export type Fate = 'executed' | 'conflict' | 'lost before' | 'lost after' | 'terminated' | 'late';

/** A statement that a client has sent to the database. */
export interface Message {
  readonly fate: Fate;
  readonly query: PostgresQuery;
  readonly respond: (outcome: { readonly rows: PostgresRows } | { readonly error: Error }) => void;
}

/**
 * Server side of one database connection, with the received messages that it has not executed. The message `close` ends
 * the backend.
 */
export interface Backend {
  readonly session: Session;
  readonly inbox: (Message | 'close')[];
  /** Time at which the last message arrives. A connection delivers messages in order. */
  arrives: number;
}

/** Backends of one database. A write waits while another transaction holds the write lock of the database. */
export interface Backends {
  open(): Backend;
  /** Delivers a message after a delay, and after all earlier messages of the connection. */
  deliver(backend: Backend, message: Message | 'close', delay: number): void;
  close(): void;
}

/** Creates the backends of a database file. */
export function newBackends(world: World, path: string): Backends {
  const sessions: Session[] = [];
  const unused: Session[] = [];
  let blocked: Backend[] = [];

  /** Executes the received messages until a statement has to wait for another transaction. */
  function work(backend: Backend): void {
    const { session, inbox } = backend;
    for (let message = inbox[0]; message !== undefined; message = inbox[0]) {
      if (message === 'close') {
        session.reset();
        unused.push(session);
        inbox.length = 0;
      } else if (execute(world, session, message) === 'wait') {
        blocked.push(backend);
        return;
      } else inbox.shift();
      if (session.state() !== 'open' && blocked.length > 0) world.after(0, retryBlocked);
    }
  }

  function retryBlocked(): void {
    const waiting = blocked;
    blocked = [];
    for (const backend of waiting) work(backend);
  }

  return {
    open() {
      let session = unused.pop();
      if (session === undefined) sessions.push((session = openSession(path)));
      return { session, inbox: [], arrives: 0 };
    },
    deliver(backend, message, delay) {
      backend.arrives = Math.max(backend.arrives, world.time() + delay);
      world.at(backend.arrives, () => {
        backend.inbox.push(message);
        if (!blocked.includes(backend)) work(backend);
      });
    },
    close() {
      for (const session of sessions) session.close();
    },
  };
}

function execute({ random }: World, session: Session, { fate, query, respond }: Message): 'wait' | 'executed' {
  if (fate === 'terminated') {
    session.reset();
    respond({ error: databaseError('57P01', 'terminating connection due to administrator command', 'FATAL') });
    return 'executed';
  }
  if (fate === 'conflict' && session.state() !== 'aborted') {
    // A statement outside BEGIN is a serializable transaction of its own. After its conflict, no transaction is open.
    session.fail(query.text === 'COMMIT' || session.state() === 'idle' ? 'idle' : 'aborted');
    respond({ error: random.chance(0.8) ? conflict() : databaseError('40P01', 'deadlock detected') });
    return 'executed';
  }
  try {
    const rows = session.execute(query);
    if (rows === 'wait') return 'wait';
    respond({ rows });
  } catch (error) {
    respond({ error: error as Error });
  }
  return 'executed';
}

/** Returns a random outcome for a statement, according to the rates. */
export function fateOf({ random }: World, rates: FaultRates, text: string): Fate {
  const conflicts = text === 'ROLLBACK' || text.startsWith('BEGIN') ? 0 : text === 'COMMIT' ? rates.conflictAtCommit : rates.conflict;
  const { lost, terminated, late } = rates;
  return random.weighted<Fate>([
    [conflicts, 'conflict'],
    [lost / 2, 'lost before'],
    [lost / 2, 'lost after'],
    [terminated, 'terminated'],
    [late, 'late'],
    [1, 'executed'],
  ]);
}
