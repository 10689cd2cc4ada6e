import type pg from 'pg';

/**
 * Hints: notifications between servers that data has changed. A hint may arrive late, twice or never. So a subscriber
 * reads the database after each hint, and also at intervals. API clients cannot choose topics. A topic has at most
 * `TOPIC_MAX` characters.
 */
export interface Bus {
  /** Sends a hint to all servers, also to this one. Returns at once. Combines hints of one topic that wait to be sent. */
  hint(topic: string): void;
  /** Subscribes to a topic. Returns the function that unsubscribes. */
  on(topic: string, onHint: () => void): () => void;
  close(): Promise<void>;
}

/** Maximum characters of a topic. PostgreSQL limits a payload to 7999 bytes. Source: PostgreSQL manual, NOTIFY. */
const TOPIC_MAX = 200;
const CHANNEL = 'belfry';
const RECONNECT_MILLISECONDS = 500;

function listeners() {
  const byTopic = new Map<string, Set<() => void>>();
  return {
    emit(topic: string): void {
      for (const onHint of byTopic.get(topic) ?? []) onHint();
    },
    emitAll(): void {
      for (const topic of byTopic.values()) for (const onHint of topic) onHint();
    },
    on(topic: string, onHint: () => void): () => void {
      let all = byTopic.get(topic);
      if (all === undefined) byTopic.set(topic, (all = new Set()));
      all.add(onHint);
      return () => {
        all.delete(onHint);
        if (all.size === 0) byTopic.delete(topic);
      };
    },
  };
}

/**
 * Returns a function that collects topics without duplicates. The collected topics are sent in the next turn of the
 * event loop, or after the transmission in progress.
 */
function gathering(send: (topics: readonly string[]) => Promise<void>): (topic: string) => void {
  const gathered = new Set<string>();
  let sending = false;
  async function sendAll(): Promise<void> {
    while (gathered.size > 0) {
      const topics = [...gathered];
      gathered.clear();
      await send(topics);
    }
    sending = false;
  }
  return (topic) => {
    if (topic.length > TOPIC_MAX) throw new Error(`The topic '${topic}' is too long.`);
    gathered.add(topic);
    if (sending) return;
    sending = true;
    setImmediate(() => void sendAll());
  };
}

/** Creates the bus of the only server on a database. */
export function inProcessBus(): Bus {
  const { emit, on } = listeners();
  return { hint: gathering(async (topics) => topics.forEach(emit)), on, close: async () => {} };
}

/**
 * Creates the bus for servers that share a PostgreSQL server. The bus has its own connection for LISTEN and NOTIFY.
 *
 * NOTIFY never runs in the transaction of a request. While a transaction with NOTIFY commits, all other transactions
 * with NOTIFY must wait. After a lost connection the bus reconnects. Hints may have been lost meanwhile, so the bus
 * then sends its subscribers a hint for every topic.
 * Source: PostgreSQL sources, `PreCommit_Notify`.
 */
export function postgresBus(url: string): Bus {
  const { emit, emitAll, on } = listeners();
  let client: pg.Client | undefined;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;

  async function connect(): Promise<void> {
    // Imported here, because a server with SQLite does not need the driver.
    const { default: pg } = await import('pg');
    const fresh = new pg.Client({
      connectionString: url,
      application_name: 'belfry bus',
      keepAlive: true,
      connectionTimeoutMillis: 5_000,
      query_timeout: 5_000,
    });
    let lost = false;
    const lose = (): void => {
      if (lost) return;
      lost = true;
      if (client === fresh) client = undefined;
      void fresh.end().catch(() => {});
      if (!closed) timer = setTimeout(() => void connect(), RECONNECT_MILLISECONDS);
    };
    fresh.on('error', lose);
    fresh.on('end', lose);
    fresh.on('notification', ({ payload }) => emit(payload ?? ''));
    try {
      await fresh.connect();
      await fresh.query(`LISTEN ${CHANNEL}`);
    } catch {
      return lose();
    }
    if (closed) return lose();
    client = fresh;
    emitAll();
  }

  void connect();
  return {
    hint: gathering(async (topics) => {
      // Subscribers in this process receive the hints directly, without the database.
      topics.forEach(emit);
      const using = client;
      try {
        await using?.query('SELECT pg_notify($1, topic) FROM unnest($2::text[]) AS topic', [CHANNEL, topics]);
      } catch {
        // A connection that did not respond in time does not receive notifications either. The event 'end' makes the
        // bus reconnect.
        using?.emit('end');
      }
    }),
    on,
    async close() {
      closed = true;
      clearTimeout(timer);
      await client?.end().catch(() => {});
    },
  };
}
