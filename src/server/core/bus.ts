import type pg from 'pg';

/**
 * Hints between servers that something has changed. They may be late, doubled or lost: whoever hears one asks the database, and whoever
 * hears none asks in its own time. Topics are ours, never a caller's, and are at most `TOPIC_MAX` bytes long.
 */
export interface Bus {
  /** Tells everybody, this server too. Returns at once; the same topic again before it is sent is one hint. */
  hint(topic: string): void;
  /** Returns what ends the listening. */
  on(topic: string, heard: () => void): () => void;
  close(): Promise<void>;
}

/** PostgreSQL's payloads are shorter than 8000 bytes. Source: PostgreSQL manual, NOTIFY. */
const TOPIC_MAX = 200;
const CHANNEL = 'belfry';
const RECONNECT_MILLISECONDS = 500;

function listeners() {
  const byTopic = new Map<string, Set<() => void>>();
  return {
    tell(topic: string): void {
      for (const heard of byTopic.get(topic) ?? []) heard();
    },
    tellAll(): void {
      for (const topic of byTopic.values()) for (const heard of topic) heard();
    },
    on(topic: string, heard: () => void): () => void {
      let all = byTopic.get(topic);
      if (all === undefined) byTopic.set(topic, (all = new Set()));
      all.add(heard);
      return () => {
        all.delete(heard);
        if (all.size === 0) byTopic.delete(topic);
      };
    },
  };
}

/** Gathers what is hinted in one turn of the loop and while the last was sent, each topic once. */
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
    if (topic.length > TOPIC_MAX) throw new Error(`The topic ${topic} is too long.`);
    gathered.add(topic);
    if (sending) return;
    sending = true;
    setImmediate(() => void sendAll());
  };
}

/** For one server alone. */
export function inProcessBus(): Bus {
  const { tell, on } = listeners();
  return { hint: gathering(async (topics) => topics.forEach(tell)), on, close: async () => {} };
}

/**
 * For several servers on one PostgreSQL: LISTEN and NOTIFY on one connection of its own, never in a user's transaction, since a transaction
 * that notifies holds a lock of the whole server while it commits. Source: PostgreSQL sources, `PreCommit_Notify`.
 * A connection that is lost is made again, and then everybody is told everything: what was hinted meanwhile is not known.
 */
export function postgresBus(url: string): Bus {
  const { tell, tellAll, on } = listeners();
  let client: pg.Client | undefined;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;

  async function connect(): Promise<void> {
    // Only here: a server alone does not need the driver.
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
    fresh.on('notification', ({ payload }) => tell(payload ?? ''));
    try {
      await fresh.connect();
      await fresh.query(`LISTEN ${CHANNEL}`);
    } catch {
      return lose();
    }
    if (closed) return lose();
    client = fresh;
    tellAll();
  }

  void connect();
  return {
    hint: gathering(async (topics) => {
      // This server's own ears need no network.
      topics.forEach(tell);
      const using = client;
      try {
        await using?.query('SELECT pg_notify($1, topic) FROM unnest($2::text[]) AS topic', [CHANNEL, topics]);
      } catch {
        // A connection that did not answer in time is not listened on either.
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
