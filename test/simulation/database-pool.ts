import type { PostgresConnection, PostgresPool, PostgresQuery, PostgresRows } from '#store/engine/postgres-pool.ts';
import { type Backend, type Backends, type FaultRates, fateOf, type Message } from './database-backends.ts';
import type { Process, World } from './world.ts';

/** Size and time limit of a pool. */
export interface PoolOptions {
  readonly connections: number;
  readonly timeoutMilliseconds: number;
  /** Reports whether the process and the database cannot reach each other. */
  readonly isCut?: () => boolean;
}

/** Longest time, in milliseconds, until the database detects a broken connection. Until then the transaction stays open. */
const NOTICES_MS = 400;

/** Client side of one connection. */
interface Client {
  readonly backend: Backend;
  readonly queue: Sent[];
  sending: boolean;
  /** Whether the client has detected that the connection is broken. */
  broken: boolean;
}

interface Sent {
  readonly query: PostgresQuery;
  readonly answered: PromiseWithResolvers<PostgresRows>;
}

/** Parts that the pools of a database share. */
export interface PoolsOf {
  readonly world: World;
  readonly backends: Backends;
  readonly rates: () => FaultRates;
  /** Connections that a caller has taken and not released. */
  readonly lent: Set<{ readonly process: Process }>;
}

/** Opens a connection pool for a process. */
export function openPool(pools: PoolsOf, process: Process, options: PoolOptions): PostgresPool {
  const { world, backends, lent } = pools;
  const { connections, timeoutMilliseconds, isCut = () => false } = options;
  const wires = newWires(pools, process, { timeoutMilliseconds, isCut, onClosed: serveTakers });
  const takers: PromiseWithResolvers<Client>[] = [];
  let ended = false;
  process.onKill(() => {
    for (const client of wires.all) backends.deliver(client.backend, 'close', world.random.between(1, NOTICES_MS));
    for (const one of lent) if (one.process === process) lent.delete(one);
  });

  /** Hands idle connections to waiting callers, or opens new ones. */
  function serveTakers(): void {
    while (takers.length > 0) {
      const client = wires.idle.pop();
      if (client === undefined && wires.all.size >= connections) return;
      const taker = takers.shift() as PromiseWithResolvers<Client>;
      if (client === undefined) wires.open(taker);
      else taker.resolve(client);
    }
  }

  function take(): Promise<Client> {
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
    return taker.promise;
  }

  async function connect(): Promise<PostgresConnection> {
    if (ended) throw new Error('Cannot use a pool after calling end on the pool');
    const client = await take();
    return lend(pools, process, {
      query: (query) => wires.query(client, query),
      release(broken) {
        const problem = wires.release(client, broken);
        if (problem !== undefined) world.violate(problem);
        else if (!broken) serveTakers();
      },
    });
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
      for (const client of [...wires.all]) wires.discard(client);
    },
  };
}

/** Wraps a connection. Reports a violation if the caller releases it twice, or sends a statement after the release. */
function lend({ world, lent }: PoolsOf, process: Process, connection: PostgresConnection): PostgresConnection {
  const loan = { process };
  lent.add(loan);
  let released = false;
  return {
    query(query) {
      if (released) world.violate(`a statement after the release of its connection: ${query.text}`);
      return connection.query(query);
    },
    release(broken) {
      if (released) world.violate('a connection was released twice');
      released = true;
      lent.delete(loan);
      connection.release(broken);
    },
  };
}

interface WireOptions {
  readonly timeoutMilliseconds: number;
  readonly isCut: () => boolean;
  readonly onClosed: () => void;
}

/** Creates the connections of a pool. A connection sends one statement at a time. Statements can time out, and connections can break. */
function newWires({ world, backends, rates }: PoolsOf, process: Process, { timeoutMilliseconds, isCut, onClosed }: WireOptions) {
  const { random } = world;
  const idle: Client[] = [];
  const all = new Set<Client>();
  const latency = (): number => (random.chance(0.05) ? random.between(5, 60) : random.between(0.1, 2));

  /** Closes a connection. The database executes the earlier messages first, and then ends the backend. */
  function close(client: Client, delay: number): void {
    client.broken = true;
    for (const { answered } of client.queue.splice(0)) answered.reject(new Error('Connection terminated unexpectedly'));
    if (!all.delete(client)) return;
    backends.deliver(client.backend, 'close', delay);
    const at = idle.indexOf(client);
    if (at >= 0) idle.splice(at, 1);
    onClosed();
  }
  const breakOff = (client: Client): void => world.after(latency(), () => close(client, random.between(1, NOTICES_MS)), process);

  /** Sends the next query of a connection, unless the response to the previous query is still missing. */
  function send(client: Client): void {
    const next = client.queue[0];
    if (next === undefined || client.sending) return;
    client.sending = true;
    const { query, answered } = next;
    const fate = isCut() ? 'lost before' : fateOf(world, rates(), query.text);
    const respond: Message['respond'] = (outcome) => {
      if (fate === 'lost after' || isCut()) return breakOff(client);
      world.after(
        latency(),
        () => {
          if (client.queue[0] !== next) return;
          client.queue.shift();
          client.sending = false;
          if ('rows' in outcome) answered.resolve(outcome.rows);
          else answered.reject(outcome.error);
          if (fate === 'terminated') close(client, 0);
          send(client);
        },
        process,
      );
    };
    if (fate === 'lost before') breakOff(client);
    else
      backends.deliver(client.backend, { fate, query, respond }, fate === 'late' ? random.between(1, 2) * timeoutMilliseconds : latency());
  }

  /**
   * Rejects a query that has no response in time. As with the package `pg`, the database continues to execute the query
   * until the connection is closed.
   */
  function timeOut(client: Client, sent: Sent): void {
    const at = client.queue.indexOf(sent);
    if (at >= 0) client.queue.splice(at, 1);
    sent.answered.reject(new Error('Query read timeout'));
  }

  return {
    idle,
    all,
    discard: (client: Client) => close(client, latency()),
    open(taker: PromiseWithResolvers<Client>): void {
      const client: Client = { backend: backends.open(), queue: [], sending: false, broken: false };
      all.add(client);
      const refuse = (): void => {
        taker.reject(new Error('timeout exceeded when trying to connect'));
        close(client, 0);
      };
      if (isCut() || random.chance(rates().refused)) world.after(timeoutMilliseconds, refuse, process);
      else world.after(latency(), () => taker.resolve(client), process);
    },
    query(client: Client, query: PostgresQuery): Promise<PostgresRows> {
      const answered = Promise.withResolvers<PostgresRows>();
      if (client.broken) answered.reject(new Error('Client has encountered a connection error and is not queryable'));
      else {
        const sent = { query, answered };
        client.queue.push(sent);
        send(client);
        world.after(timeoutMilliseconds, () => timeOut(client, sent), process);
      }
      return answered.promise;
    },
    /**
     * Takes a connection back into the pool. If the connection is unusable and the caller did not report it as broken,
     * returns the reason why it is unusable.
     */
    release(client: Client, broken: boolean | undefined): string | undefined {
      if (broken) close(client, latency());
      else if (client.broken) return 'a broken connection was released as usable';
      else if (client.sending) return 'a connection was released during a statement';
      else if (client.backend.session.state() !== 'idle') return 'a connection was released in a transaction';
      else idle.push(client);
      return undefined;
    },
  };
}
