/**
 * Measures messages of channels with ten million messages in the database: pages of ListChannelMessages, GetChannelMessage and
 * SendChannelMessage, one request after the other, each over HTTP with signature, authorization and a durable record. Half of the messages
 * are in one channel, and 1,000 in each other one. Prints the ratio to a channel of 1,000 messages.
 * Command: `node bench/channel-messages.ts [--messages 10000000] [--engine sqlite|postgres]`. Aim: a request takes at most 1.5 times as long
 * in the largest channel. On SQLite, ten million messages take 5 GiB of disk.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { testPostgres } from '../test/store/test-postgres.ts';
import { type Chat, createChat, send } from './chat.ts';
import { median, type Process, signed, startProcess } from './load.ts';

const { values: settings } = parseArgs({
  options: { messages: { type: 'string', default: '10000000' }, engine: { type: 'string', default: 'sqlite' } },
});
const MESSAGES = Number(settings.messages);
const ROUNDS = Number(process.env['ROUNDS'] ?? 200);
const SMALL = 1_000;
/** Newest messages of a channel that only another member sees. */
const HIDDEN = 100_000;
const OTHER = 'user/other';
const LARGE = MESSAGES / 2;
/** Messages that one statement adds. */
const AT_ONCE = 250_000;
const PAGE = 50;

/** A message as stored. */
interface Stored {
  readonly channel_key: string;
  readonly sender: string;
  readonly document: string;
}

/** Database of a stopped server. */
interface Bulk {
  /** Returns the stored messages in the order of time. */
  stored(): Promise<readonly Stored[]>;
  /** Adds `count` messages, one per millisecond from `first`. If `onlyFor` is set, only this member sends and sees them. */
  add(like: Stored, channelKey: string, count: number, first: number, onlyFor?: string): Promise<void>;
  close(): Promise<void>;
}

const STORED = 'SELECT channel_key, sender, document FROM channel_message ORDER BY created_at_ms';
const INTO = 'INSERT INTO channel_message (channel_key, sub_channel_id, created_at_ms, message_id, sender, only_for, document)';
const COUNT = `SELECT COUNT(*) AS count FROM channel_message`;

function openSqliteBulk(dataFolder: string): Bulk {
  const db = new DatabaseSync(join(dataFolder, 'belfry.db'));
  db.exec('PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA cache_size = -2000000');
  const id = ['4', '2', '2', '2', '6'].map((bytes) => `lower(hex(randomblob(${bytes})))`).join(" || '-' || ");
  const insert = db.prepare(`
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ?1 - 1)
    ${INTO} SELECT ?2, '', ?3 + i, ${id}, ?4, ?5, ?6 FROM n`);
  return {
    stored: async () => db.prepare(STORED).all() as unknown as Stored[],
    async add(like, channelKey, count, first, onlyFor) {
      insert.run(count, channelKey, first, onlyFor ?? like.sender, onlyFor ?? null, like.document);
    },
    async close() {
      console.log(`${db.prepare(COUNT).get()?.['count']} messages`);
      // The server opens the file in the mode in which it left it.
      db.exec('PRAGMA journal_mode = WAL');
      db.close();
    },
  };
}

async function openPostgresBulk(url: string): Promise<Bulk> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('SET synchronous_commit = off');
  return {
    stored: async () => (await client.query<Stored>(STORED)).rows,
    async add(like, channelKey, count, first, onlyFor) {
      await client.query(
        `${INTO} SELECT $2, '', $3::bigint + i, gen_random_uuid()::text, $4, $5, $6 FROM generate_series(0, $1::bigint - 1) AS i`,
        [count, channelKey, first, onlyFor ?? like.sender, onlyFor ?? null, like.document],
      );
    },
    async close() {
      // As autovacuum does in a database that grew slowly.
      await client.query('VACUUM ANALYZE channel_message');
      console.log(`${(await client.query(COUNT)).rows[0]?.count} messages`);
      await client.end();
    },
  };
}

/** A server, and channels in which user 0 of an app instance is a member. */
interface Filled {
  readonly server: Process;
  readonly bearer: string;
  readonly channels: Readonly<Record<'small' | 'hidden' | 'large', string>>;
  /** Time of the first message of each channel. */
  readonly first: number;
  stop(): Promise<void>;
}

/** Creates channels through a server, and messages in the database of the stopped server. Starts a server on the result. */
async function filled(): Promise<Filled> {
  const postgres = settings.engine === 'postgres' ? await testPostgres() : undefined;
  const dataFolder = mkdtempSync(join(tmpdir(), 'belfry-bench-'));
  const options = { dataFolder, ...(postgres !== undefined && { environment: { BELFRY_DATABASE: postgres.url } }) };
  const remove = async () => {
    rmSync(dataFolder, { recursive: true, force: true });
    await postgres?.stop();
  };
  const creating = await startProcess('belfry', options);
  const chat = await createChat(creating, 2);
  const channels = {
    small: chat.channelArn,
    hidden: await channelOf(creating, chat, 'hidden'),
    large: await channelOf(creating, chat, 'large'),
  };
  const bearer = chat.userArns[0] as string;
  for (const channel of [channels.small, channels.hidden, channels.large]) await sayIn(creating, bearer, channel, 'first');
  await creating.stop();

  const began = performance.now();
  const bulk = postgres === undefined ? openSqliteBulk(dataFolder) : await openPostgresBulk(postgres.url);
  const [small, hidden, large] = (await bulk.stored()) as [Stored, Stored, Stored];
  const first = Date.now() - MESSAGES;
  await bulk.add(small, small.channel_key, SMALL, first);
  await bulk.add(hidden, hidden.channel_key, PAGE, first);
  await bulk.add(hidden, hidden.channel_key, HIDDEN, first + PAGE, OTHER);
  for (let from = 0; from < LARGE; from += AT_ONCE) await bulk.add(large, large.channel_key, Math.min(AT_ONCE, LARGE - from), first + from);
  for (let from = HIDDEN; from < MESSAGES - LARGE; from += SMALL) await bulk.add(small, `${small.channel_key}-${from}`, SMALL, first);
  await bulk.close();
  console.log(`filled in ${((performance.now() - began) / 1_000).toFixed(0)} s`);
  const server = await startProcess('belfry', options);
  return { server, bearer, channels, first, stop: async () => await server.stop().then(remove) };
}

const pathOf = (channelArn: string): string => `/channels/${encodeURIComponent(channelArn)}`;

async function channelOf(server: Process, { userArns }: Chat, name: string): Promise<string> {
  const [bearer = ''] = userArns;
  const AppInstanceArn = bearer.slice(0, bearer.indexOf('/user/'));
  const channel = { AppInstanceArn, Name: name, Mode: 'UNRESTRICTED', ClientRequestToken: name };
  const { ChannelArn } = await call(server, bearer, 'POST', '/channels', channel);
  return ChannelArn as string;
}

function call(server: Process, bearer: string, method: string, path: string, body?: object): Promise<Record<string, unknown>> {
  return send(
    server.endpoint,
    signed(server, method, path, body === undefined ? '' : JSON.stringify(body), { 'x-amz-chime-bearer': bearer }),
  );
}

let sent = 0;
function sayIn(server: Process, bearer: string, channelArn: string, Content: string): Promise<Record<string, unknown>> {
  const message = { Content, Type: 'STANDARD', Persistence: 'PERSISTENT', ClientRequestToken: `m${++sent}` };
  return call(server, bearer, 'POST', `${pathOf(channelArn)}/messages`, message);
}

const { server, bearer, channels, first, stop } = await filled();
try {
  console.log(`${settings.engine}: median of ${ROUNDS} requests, one after the other`);
  const listOf = (channelArn: string, query = '') => `${pathOf(channelArn)}/messages?max-results=${PAGE}${query}`;
  const get = (path: string) => call(server, bearer, 'GET', path);
  /** Returns the path of the page after the page of `path`. */
  const next = async (path: string): Promise<string> => {
    const { NextToken } = await get(path);
    if (typeof NextToken !== 'string') throw new Error(`${path} has no further page`);
    return `${path}&next-token=${encodeURIComponent(NextToken)}`;
  };
  const at = (time: number) => encodeURIComponent(new Date(time).toISOString());
  const idsIn = async (path: string) => {
    const { ChannelMessages } = (await get(path)) as { readonly ChannelMessages: readonly { readonly MessageId: string }[] };
    return ChannelMessages.map(({ MessageId }) => MessageId);
  };
  const [small, large] = [channels.small, channels.large];
  const ids = { small: await idsIn(listOf(small)), large: await idsIn(listOf(large, `&not-after=${at(first + LARGE / 2)}`)) };
  const some = (of: readonly string[], round: number) => of[round % of.length] as string;
  type Work = (round: number) => Promise<unknown>;
  const pages = async (title: string, querySmall: string, queryLarge = querySmall, after = false) => {
    const [a, b] = [listOf(small, querySmall), listOf(large, queryLarge)];
    const [inSmall, inLarge] = after ? [await next(a), await next(b)] : [a, b];
    return [title, () => get(inSmall), () => get(inLarge)] as const;
  };
  const requests: readonly (readonly [title: string, inSmall: Work, inLarge: Work])[] = [
    await pages('newest page of 50', ''),
    await pages('oldest page of 50', '&sort-order=ASCENDING'),
    await pages('page in the middle, by a token', `&not-after=${at(first + SMALL / 2)}`, `&not-after=${at(first + LARGE / 2)}`, true),
    await pages(
      'page in the middle, ascending, by a token',
      `&sort-order=ASCENDING&not-before=${at(first + SMALL / 2)}`,
      `&sort-order=ASCENDING&not-before=${at(first + LARGE / 2)}`,
      true,
    ),
    ['page after 100,000 hidden messages', () => get(listOf(small)), () => get(listOf(channels.hidden))],
    [
      'GetChannelMessage',
      (round) => get(`${pathOf(small)}/messages/${some(ids.small, round)}`),
      (round) => get(`${pathOf(large)}/messages/${some(ids.large, round)}`),
    ],
    ['SendChannelMessage', () => sayIn(server, bearer, small, 'bench'), () => sayIn(server, bearer, large, 'bench')],
  ];
  for (const [title, inSmall, inLarge] of requests) {
    const times: Record<'small' | 'large', number[]> = { small: [], large: [] };
    for (let round = 0; round < ROUNDS; round++) {
      for (const [size, work] of [
        ['small', inSmall],
        ['large', inLarge],
      ] as const) {
        const began = performance.now();
        await work(round);
        times[size].push(performance.now() - began);
      }
    }
    const [a, b] = [median(times.small), median(times.large)];
    console.log(
      `${title.padEnd(42)} ${a.toFixed(2)} ms in the small, ${b.toFixed(2)} ms in the large channel; ratio ${(b / a).toFixed(2)}`,
    );
  }
} finally {
  await stop();
}
process.exit();
