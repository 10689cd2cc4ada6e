/**
 * Measures messages of channels in a database with ten million messages and in one with 10,000: pages of ListChannelMessages and of lists of
 * channels, GetChannelMessage and SendChannelMessage, one request after the other, each over HTTP with signature, authorization and a durable
 * record. Half of the messages of a database are in one channel, and the others in at least 100 further channels. Prints the ratio of the two
 * databases.
 * Command: `node bench/channel-messages.ts [--messages 10000000] [--engine sqlite|postgres]`. Aim: a request takes at most 1.5 times as long
 * in the large database. Ten million messages take at least 5 GiB of disk.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { startPostgres } from '../test/store/postgres-server.ts';
import { createChat, send } from './chat.ts';
import { median, type Process, signed, startProcess } from './load.ts';

const { values: settings } = parseArgs({
  options: { messages: { type: 'string', default: '10000000' }, engine: { type: 'string', default: 'sqlite' } },
});
const MESSAGES = { small: 10_000, large: Number(settings.messages) } as const;
const ROUNDS = Number(process.env['ROUNDS'] ?? 200);
/** Newest messages of a channel in the large database that only another member sees. */
const HIDDEN = 100_000;
const OTHER = 'user/other';
/** Rows that one statement adds. */
const AT_ONCE = 250_000;
const PAGE = 50;
const sizes = ['small', 'large'] as const;

/** Database of a stopped server. */
interface Bulk {
  /** Expression for a random UUID. */
  readonly uuid: string;
  run(statement: string, values: readonly (string | number)[]): Promise<unknown>;
  rows(query: string): Promise<readonly Readonly<Record<string, string>>[]>;
  close(): Promise<void>;
}

function openSqliteBulk(dataFolder: string): Bulk {
  const db = new DatabaseSync(join(dataFolder, 'belfry.db'));
  db.exec('PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA cache_size = -2000000');
  const prepare = (statement: string) => db.prepare(statement.replaceAll('$', '?'));
  return {
    uuid: ['4', '2', '2', '2', '6'].map((bytes) => `lower(hex(randomblob(${bytes})))`).join(" || '-' || "),
    run: async (statement, values) => prepare(statement).run(...values),
    rows: async (query) => prepare(query).all() as unknown as Readonly<Record<string, string>>[],
    async close() {
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
    uuid: 'gen_random_uuid()::text',
    run: (statement, values) => client.query(statement, [...values]),
    rows: async (query) => (await client.query<Record<string, string>>(query)).rows,
    async close() {
      // As autovacuum does in a database that grew slowly.
      for (const name of ['channel_message', 'channel', 'channel_membership']) await client.query(`VACUUM ANALYZE ${name}`);
      await client.end();
    },
  };
}

/** Rows `i` from $1 to $2 - 1. */
const NUMBERED = 'WITH RECURSIVE n(i) AS (SELECT CAST($1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i + 1 < CAST($2 AS BIGINT))';
const INTO_MESSAGES = `
  ${NUMBERED} INSERT INTO channel_message (channel_key, sub_channel_id, audience, created_at_ms, message_id, sender, document)`;
/** Key of the further channel with message `i`, if each channel has $4 messages. */
const KEY = "$3 || '-' || (10000000 + i / CAST($4 AS BIGINT))";

/** Adds messages to a channel, one per millisecond from `first`. */
async function addMessages(bulk: Bulk, like: Readonly<Record<string, string>>, count: number, first: number, only?: string): Promise<void> {
  for (let from = 0; from < count; from += AT_ONCE)
    await bulk.run(`${INTO_MESSAGES} SELECT $3, '', $4, CAST($5 AS BIGINT) + i, ${bulk.uuid}, $6, $7 FROM n`, [
      from,
      Math.min(from + AT_ONCE, count),
      like['channel_key'],
      only ?? '*',
      first,
      only ?? like['sender'],
      like['document'],
    ] as string[]);
}

/** Adds channels with `each` messages, in which the members of a channel are members. */
async function addChannels(bulk: Bulk, like: Readonly<Record<string, string>>, count: number, each: number, first: number): Promise<void> {
  const { channel_key: key = '', sender = '', document = '' } = like;
  for (let from = 0; from < count * each; from += AT_ONCE)
    await bulk.run(`${INTO_MESSAGES} SELECT ${KEY}, '', '*', CAST($5 AS BIGINT) + i, ${bulk.uuid}, $6, $7 FROM n`, [
      from,
      Math.min(from + AT_ONCE, count * each),
      key,
      each,
      first,
      sender,
      document,
    ]);
  const columns = {
    channel: [
      'app_instance_id, account_id, region, created_at_ms, updated_at_ms, last_message_at_ms, tags, document',
      'channel_id, channel_key, privacy',
      `${bulk.uuid}, ${KEY}, 'PUBLIC'`,
    ],
    channel_membership: ['sub_channel_id, member, app_instance_id, type, invited_by, created_at_ms, updated_at_ms', 'channel_key', KEY],
  } as const;
  for (const [name, [same, own, values]] of Object.entries(columns))
    await bulk.run(`${NUMBERED} INSERT INTO ${name} (${same}, ${own}) SELECT ${same}, ${values} FROM n, ${name} WHERE channel_key = $3`, [
      0,
      count,
      key,
      1,
    ]);
}

/** A server, and channels in which user 0 of an app instance is a member. */
interface Filled {
  readonly server: Process;
  readonly bearer: string;
  /** Messages in the channel `main`. */
  readonly count: number;
  readonly channels: Readonly<Record<'main' | 'hidden', string>>;
  /** Time of the first message of each channel. */
  readonly first: number;
  stop(): Promise<void>;
}

/** Creates channels through a server, and messages in the database of the stopped server. Starts a server on the result. */
async function filled(messages: number, hiddenCount: number): Promise<Filled> {
  const postgres = settings.engine === 'postgres' ? await startPostgres({ onDisk: true }) : undefined;
  const dataFolder = mkdtempSync(join(tmpdir(), 'belfry-bench-'));
  process.once('exit', () => rmSync(dataFolder, { recursive: true, force: true }));
  const url = postgres?.urlOf('postgres');
  const options = { dataFolder, ...(url !== undefined && { environment: { BELFRY_DATABASE: url } }) };
  const creating = await startProcess('belfry', options);
  const { channelArn: main, userArns } = await createChat(creating, 2);
  const [bearer = ''] = userArns;
  const AppInstanceArn = bearer.slice(0, bearer.indexOf('/user/'));
  const channel = { AppInstanceArn, Name: 'hidden', Mode: 'UNRESTRICTED', ClientRequestToken: 'hidden' };
  const hidden = (await call(creating, bearer, 'POST', '/channels', channel))['ChannelArn'] as string;
  for (const each of [main, hidden]) await sayIn(creating, bearer, each, 'first');
  await creating.stop();

  const began = performance.now();
  const bulk = url === undefined ? openSqliteBulk(dataFolder) : await openPostgresBulk(url);
  const [inMain, inHidden] = (await bulk.rows('SELECT * FROM channel_message ORDER BY created_at_ms')) as [
    Readonly<Record<string, string>>,
    Readonly<Record<string, string>>,
  ];
  const first = Date.now() - messages;
  const count = messages / 2;
  const others = Math.max(100, messages / 2_000);
  await addMessages(bulk, inMain, count, first);
  await addMessages(bulk, inHidden, PAGE, first);
  await addMessages(bulk, inHidden, hiddenCount, first + PAGE, OTHER);
  await addChannels(bulk, inMain, others, count / others, first);
  const [stored] = await bulk.rows('SELECT (SELECT COUNT(*) FROM channel_message) AS messages, (SELECT COUNT(*) FROM channel) AS channels');
  await bulk.close();
  const seconds = ((performance.now() - began) / 1_000).toFixed(0);
  console.log(`${stored?.['messages']} messages in ${stored?.['channels']} channels, filled in ${seconds} s`);
  const server = await startProcess('belfry', options);
  return { server, bearer, count, channels: { main, hidden }, first, stop: async () => await server.stop().then(postgres?.stop) };
}

const pathOf = (channelArn: string): string => `/channels/${encodeURIComponent(channelArn)}`;

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

type Work = (round: number) => Promise<unknown>;

/** Returns requests by title. */
async function requestsOf({ server, bearer, channels, first, count }: Filled): Promise<Readonly<Record<string, Work>>> {
  const get = (path: string) => call(server, bearer, 'GET', path);
  const messages = (query = '', channel = channels.main) => `${pathOf(channel)}/messages?max-results=${PAGE}${query}`;
  const app = encodeURIComponent(bearer.slice(0, bearer.indexOf('/user/')));
  const member = encodeURIComponent(bearer);
  const allChannels = `/channels?app-instance-arn=${app}&max-results=${PAGE}`;
  const memberships = `/channels?scope=app-instance-user-memberships&app-instance-user-arn=${member}&max-results=${PAGE}`;
  /** Returns the path of the page after the page of `path`. */
  const next = async (path: string): Promise<string> => {
    const { NextToken } = await get(path);
    if (typeof NextToken !== 'string') throw new Error(`${path} has no further page`);
    return `${path}&next-token=${encodeURIComponent(NextToken)}`;
  };
  const middle = encodeURIComponent(new Date(first + count / 2).toISOString());
  const { ChannelMessages } = await get(messages(`&not-after=${middle}`));
  const ids = (ChannelMessages as readonly { readonly MessageId: string }[]).map(({ MessageId }) => MessageId);
  const paths = {
    'newest page of 50': messages(),
    'oldest page of 50': messages('&sort-order=ASCENDING'),
    'page in the middle, by a token': await next(messages(`&not-after=${middle}`)),
    'page in the middle, ascending, by a token': await next(messages(`&sort-order=ASCENDING&not-before=${middle}`)),
    'page after 100,000 hidden messages, or none': messages('', channels.hidden),
    'ListChannels, first page of 50': allChannels,
    'ListChannels, second page': await next(allChannels),
    'channels of a member, first page of 50': memberships,
    'channels of a member, second page': await next(memberships),
  };
  return {
    ...Object.fromEntries(Object.entries(paths).map(([title, path]) => [title, () => get(path)])),
    GetChannelMessage: (round) => get(`${pathOf(channels.main)}/messages/${ids[round % ids.length]}`),
    SendChannelMessage: () => sayIn(server, bearer, channels.main, 'bench'),
  };
}

const databases = { large: await filled(MESSAGES.large, HIDDEN), small: await filled(MESSAGES.small, 0) };
try {
  const requests = { small: await requestsOf(databases.small), large: await requestsOf(databases.large) };
  console.log(`${settings.engine}: median of ${ROUNDS} requests, one after the other`);
  for (const title of Object.keys(requests.small)) {
    const times: Record<(typeof sizes)[number], number[]> = { small: [], large: [] };
    for (let round = 0; round < ROUNDS; round++) {
      for (const size of sizes) {
        const began = performance.now();
        await requests[size][title]?.(round);
        times[size].push(performance.now() - began);
      }
    }
    const [a, b] = [median(times.small), median(times.large)];
    console.log(
      `${title.padEnd(42)} ${a.toFixed(2)} and ${b.toFixed(2)} ms in the small and the large database; ratio ${(b / a).toFixed(2)}`,
    );
  }
} finally {
  for (const size of sizes) await databases[size].stop();
}
process.exit();
