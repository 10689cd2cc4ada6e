/**
 * A simulated PostgreSQL and its connection pools. Latency, lost connections, late statements and conflicts follow from the seed.
 *
 * A pool checks its use: a connection is released once, idle, and gets no statement after the release.
 */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PostgresConnection, PostgresPool, PostgresQuery, PostgresRows } from '#store/engine/postgres-pool.ts';
import { conflict, databaseError, openSession, type Session } from './database-session.ts';
import type { Process, World } from './world.ts';

/** Probabilities of faults, for each statement or connection. */
export interface FaultRates {
  /** A serialization failure or a deadlock. */
  readonly conflict: number;
  /** The same at COMMIT. */
  readonly conflictAtCommit: number;
  /** The connection breaks. The database may still receive what was sent, and the client does not receive the response. */
  readonly lost: number;
  /** The database ends the connection, as `pg_terminate_backend` does. */
  readonly terminated: number;
  /** The statement takes longer than the client waits. */
  readonly late: number;
  /** No connection is opened in time. */
  readonly refused: number;
}

export const NO_FAULTS: FaultRates = { conflict: 0, conflictAtCommit: 0, lost: 0, terminated: 0, late: 0, refused: 0 };

export interface PoolOptions {
  readonly connections: number;
  readonly timeoutMilliseconds: number;
  /** Reports whether the process and the database cannot reach each other. */
  readonly isCut?: () => boolean;
}

export interface SimulatedDatabase {
  openPool(process: Process, options: PoolOptions): PostgresPool;
  setFaults(rates: FaultRates): void;
  /** Reads committed rows, outside the simulation. */
  rows<Row>(text: string): Row[];
  /** Violates if a connection is still lent although all work has ended. */
  checkReturned(): void;
  /** Copies the database for `newDatabase`. No transaction may be open. */
  copyTo(path: string): void;
  close(): void;
}

/** A folder in memory, if the system has one. Nothing in it must survive the run. */
export const MEMORY_FOLDER = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** Longest time until the database notices that a connection is broken. Until then the transaction stays open. */
const NOTICES_MS = 400;

interface Message {
  readonly fate: Fate;
  readonly query: PostgresQuery;
  readonly respond: (outcome: { readonly rows: PostgresRows } | { readonly error: Error }) => void;
}

type Fate = 'executed' | 'conflict' | 'lost before' | 'lost after' | 'terminated' | 'late';

/** One backend and the messages that it has received and not executed. `close` ends it. */
interface Backend {
  readonly session: Session;
  readonly inbox: (Message | 'close')[];
  /** When the last message arrives. A connection keeps the order. */
  arrives: number;
}

/** One connection, as the client sees it. */
interface Client {
  readonly backend: Backend;
  readonly queue: { readonly query: PostgresQuery; readonly answered: PromiseWithResolvers<PostgresRows> }[];
  sending: boolean;
  /** Set when the client knows that the connection is broken. */
  broken: boolean;
}

/** Creates a database. `template`: a file that `copyTo` wrote. */
export function newDatabase(world: World, template?: string): SimulatedDatabase {
  const folder = mkdtempSync(join(MEMORY_FOLDER, 'belfry-simulation-'));
  const path = join(folder, 'database');
  if (template !== undefined) copyFileSync(template, path);
  const { random } = world;
  const sessions: Session[] = [];
  const unused: Session[] = [];
  let blocked: Backend[] = [];
  let rates = NO_FAULTS;
  const lent = new Set<{ readonly process: Process }>();

  function newBackend(): Backend {
    let session = unused.pop();
    if (session === undefined) sessions.push((session = openSession(path)));
    return { session, inbox: [], arrives: 0 };
  }

  function deliver(backend: Backend, message: Message | 'close', delay: number): void {
    backend.arrives = Math.max(backend.arrives, world.time() + delay);
    world.at(backend.arrives, () => {
      backend.inbox.push(message);
      if (!blocked.includes(backend)) work(backend);
    });
  }

  /** Executes what has arrived, until a statement has to wait for another transaction. */
  function work(backend: Backend): void {
    const { session, inbox } = backend;
    for (let message = inbox[0]; message !== undefined; message = inbox[0]) {
      if (message === 'close') {
        session.reset();
        unused.push(session);
        inbox.length = 0;
      } else if (execute(session, message) === 'wait') {
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

  function execute(session: Session, { fate, query, respond }: Message): 'wait' | 'executed' {
    if (fate === 'terminated') {
      session.reset();
      respond({ error: databaseError('57P01', 'terminating connection due to administrator command', 'FATAL') });
      return 'executed';
    }
    if (fate === 'conflict' && session.state() === 'open') {
      session.fail(query.text === 'COMMIT' ? 'idle' : 'aborted');
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

  function fateOf(text: string): Fate {
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

  function openPool(process: Process, { connections, timeoutMilliseconds, isCut = () => false }: PoolOptions): PostgresPool {
    const idle: Client[] = [];
    const all = new Set<Client>();
    const takers: PromiseWithResolvers<Client>[] = [];
    let ended = false;
    const latency = (): number => (random.chance(0.05) ? random.between(5, 60) : random.between(0.1, 2));
    process.onKill(() => {
      for (const client of all) deliver(client.backend, 'close', random.between(1, NOTICES_MS));
      for (const one of lent) if (one.process === process) lent.delete(one);
    });

    /** Closes a connection. The database notices it after what was sent before. */
    function discard(client: Client, delay: number): void {
      client.broken = true;
      for (const { answered } of client.queue.splice(0)) answered.reject(new Error('Connection terminated unexpectedly'));
      if (!all.delete(client)) return;
      deliver(client.backend, 'close', delay);
      const at = idle.indexOf(client);
      if (at >= 0) idle.splice(at, 1);
      serveTakers();
    }

    /** Sends the next query of a connection. A query is sent when the one before it has its response. */
    function send(client: Client): void {
      const next = client.queue[0];
      if (next === undefined || client.sending) return;
      client.sending = true;
      const { query, answered } = next;
      const fate = isCut() ? 'lost before' : fateOf(query.text);
      const settle = (fn: () => void): void => {
        if (client.queue[0] !== next) return;
        client.queue.shift();
        fn();
      };
      const respond: Message['respond'] = (outcome) => {
        if (fate === 'lost after' || isCut()) return world.after(latency(), () => discard(client, random.between(1, NOTICES_MS)), process);
        world.after(
          latency(),
          () =>
            settle(() => {
              client.sending = false;
              if ('rows' in outcome) answered.resolve(outcome.rows);
              else answered.reject(outcome.error);
              if (fate === 'terminated') discard(client, 0);
              send(client);
            }),
          process,
        );
      };
      if (fate === 'lost before') world.after(latency(), () => discard(client, random.between(1, NOTICES_MS)), process);
      else deliver(client.backend, { fate, query, respond }, fate === 'late' ? random.between(1, 2) * timeoutMilliseconds : latency());
    }

    /** Rejects a query without a response. As in `pg`, it stays in flight: only closing the connection ends it. */
    function timeOut(client: Client, query: Client['queue'][number]): void {
      const at = client.queue.indexOf(query);
      if (at >= 0) client.queue.splice(at, 1);
      query.answered.reject(new Error('Query read timeout'));
    }

    function open(taker: PromiseWithResolvers<Client>): void {
      const client: Client = { backend: newBackend(), queue: [], sending: false, broken: false };
      all.add(client);
      if (isCut() || random.chance(rates.refused)) {
        world.after(
          timeoutMilliseconds,
          () => {
            taker.reject(new Error('timeout exceeded when trying to connect'));
            discard(client, 0);
          },
          process,
        );
      } else world.after(latency(), () => taker.resolve(client), process);
    }

    /** Hands idle connections to those that wait, or opens new ones. */
    function serveTakers(): void {
      while (takers.length > 0) {
        const client = idle.pop();
        if (client === undefined && all.size >= connections) return;
        const taker = takers.shift() as PromiseWithResolvers<Client>;
        if (client === undefined) open(taker);
        else taker.resolve(client);
      }
    }

    function lend(client: Client): PostgresConnection {
      const loan = { process };
      lent.add(loan);
      let released = false;
      return {
        query(query) {
          if (released) world.violate(`a statement after the release of its connection: ${query.text}`);
          const answered = Promise.withResolvers<PostgresRows>();
          if (client.broken) answered.reject(new Error('Client has encountered a connection error and is not queryable'));
          else {
            const one = { query, answered };
            client.queue.push(one);
            send(client);
            world.after(timeoutMilliseconds, () => timeOut(client, one), process);
          }
          return answered.promise;
        },
        release(broken) {
          if (released) world.violate('a connection was released twice');
          released = true;
          lent.delete(loan);
          if (broken) return discard(client, latency());
          if (client.broken) return world.violate('a broken connection was released as usable');
          if (client.sending) return world.violate('a connection was released during a statement');
          if (client.backend.session.state() !== 'idle') return world.violate('a connection was released in a transaction');
          idle.push(client);
          serveTakers();
        },
      };
    }

    async function connect(): Promise<PostgresConnection> {
      if (ended) throw new Error('Cannot use a pool after calling end on the pool');
      const taker = Promise.withResolvers<Client>();
      takers.push(taker);
      serveTakers();
      world.after(
        timeoutMilliseconds,
        () => {
          const at = takers.indexOf(taker);
          if (at < 0) return;
          takers.splice(at, 1);
          taker.reject(new Error('timeout exceeded when trying to connect'));
        },
        process,
      );
      return lend(await taker.promise);
    }

    return {
      connect,
      async query(query) {
        const connection = await connect();
        try {
          const rows = await connection.query(query);
          connection.release(false);
          return rows;
        } catch (error) {
          connection.release(true);
          throw error;
        }
      },
      async end() {
        ended = true;
        for (const client of [...all]) discard(client, latency());
      },
    };
  }

  return {
    openPool,
    setFaults: (next) => void (rates = next),
    rows<Row>(text: string): Row[] {
      const reader = openSession(path);
      try {
        return (reader.execute({ text }) as PostgresRows).rows as Row[];
      } finally {
        reader.close();
      }
    },
    checkReturned() {
      if (lent.size > 0) world.violate(`${lent.size} connections were not released`);
    },
    copyTo(target) {
      const session = openSession(path);
      session.execute({ text: 'PRAGMA wal_checkpoint(TRUNCATE)' });
      session.close();
      copyFileSync(path, target);
    },
    close() {
      for (const session of sessions) session.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
