import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { CreateAccountCommand, CreateBotCommand, CreateRoomCommand } from '@aws-sdk/client-chime';
import { recordsOf } from '#store/trail/trail-pack.ts';
import { verifyDomain, webhooksOf } from '../chime/register.ts';
import { accountOn } from '../kit/account.ts';
import { exchange } from '../kit/raw.ts';
import { startTestServer, type TestServer } from '../kit/server.ts';
import { ATTACKER, OTHER } from './abused-server.ts';
import { runFlood } from './run-flood.ts';
import { delayFigures, type Figure, type Measured, startOtherCaller, type Workload } from './workload.ts';

/** Maximum number of records that the server writes for refused requests of one source in a minute. */
const PER_MINUTE = 20;
/** Webhooks of one bot in one room that mentions created. It is the maximum. */
const WEBHOOKS = 100;
const CONNECTIONS = 50;
/** Bound of the median delay of another source, compared with none. It is the same as for other floods (`connection-abuse.ts`). */
const MEDIAN_TIMES_MAX = 100;
const UUID = '00000000-0000-4000-8000-000000000000';
const MESSAGE = JSON.stringify({ Content: 'x'.repeat(4_000) });

/**
 * One source floods the endpoints of webhooks and of SCIM, with and without a valid token, and writes in one room with all webhooks of a bot.
 *
 * Asserts that each webhook writes at most one message a second, that refused requests have a limited number of records, and that the server
 * answers another source in the meantime.
 */
export const webhookFloods: Workload = {
  name: 'webhook floods',
  async run({ seconds }) {
    const server = await startTestServer({ BELFRY_UNPROVEN_RECORDS: String(PER_MINUTE) });
    const room = await roomWithBot(server);
    const [first = ''] = await webhooksOf(server, { ...room, type: 'Persistent' });
    const port = Number(new URL(server.endpoint).port);
    const other = await startOtherCaller({ ...server.client(), localAddress: OTHER });
    const wait = () => new Promise((resolve) => setTimeout(resolve, (seconds * 1_000) / FLOODS.length));
    const figures: Figure[] = [];
    const startedAt = Date.now();
    try {
      const quiet = await other.during(wait);
      for (const [how, request, status] of FLOODS) {
        const text = request(first);
        const answered = (await exchange(server.endpoint, text)).status;
        // The wrong keys of the flood before count as failed sign-ins.
        assert.ok(answered === status || (status === 401 && answered === 429), `${how}: status ${answered}`);
        const attacked = await other.during(() =>
          runFlood({ port, localAddress: ATTACKER, connections: CONNECTIONS, request: text, reads: true }, server, wait),
        );
        figures.push(...compared(how, attacked, quiet));
      }
      const paths = await webhooksOf(server, { ...room, type: 'ShortLived' }, WEBHOOKS);
      let accepted = 0;
      const from = Date.now();
      const write = async () => {
        for (let i = 0; i < paths.length || Date.now() < from + (seconds * 1_000) / FLOODS.length; i++) {
          const { status } = await exchange(server.endpoint, post(paths[i % paths.length] as string, MESSAGE));
          assert.ok(status === 200 || status === 429, `status ${status}`);
          if (status === 200) accepted += 1;
        }
      };
      figures.push(...compared('messages of all webhooks of a room', await other.during(write), quiet));
      const most = Math.ceil((Date.now() - from) / 1_000 + 1) * WEBHOOKS;
      figures.push({ what: `messages of ${WEBHOOKS} webhooks in one room`, value: accepted, unit: 'count', most });
    } finally {
      other.stop();
    }
    const minutes = Math.floor((Date.now() - startedAt) / 60_000) + 2;
    await server.stop();
    const stored = storedIn(server);
    figures.push(
      { what: 'messages in the room', value: stored.messages, unit: 'rows' },
      { what: 'records of refused requests of one source', value: stored.refused, unit: 'rows', most: minutes * PER_MINUTE },
    );
    for (const { what, value, unit, most } of figures)
      assert.ok(unit === 'times' || most === undefined || value <= most, `${what}: ${value}, at most ${most}`);
    assert.equal(stored.written, stored.messages, 'each message has a record');
    assert.ok(stored.messages > 0 && stored.refused > 0, JSON.stringify(stored));
    return figures;
  },
};

function compared(how: string, attacked: Measured, quiet: Measured): readonly Figure[] {
  assert.ok(attacked.calls > 0, `another source is answered during ${how}`);
  return delayFigures(how, attacked, quiet, MEDIAN_TIMES_MAX);
}

function post(path: string, body: string, more = ''): string {
  return `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n${more}\r\n${body}`;
}

const WRONG = (path: string): string => path.replace(/token=.*/, `token=${'A'.repeat(43)}`);
const SCIM = '/_belfry/scim/v2/Users';
const KEY = `authorization: Bearer ${'k'.repeat(43)}\r\n`;

/** Requests, each with the status that the first one has. */
// biome-ignore format: a table
const FLOODS: readonly (readonly [how: string, request: (path: string) => string, status: number])[] = [
  ['wrong tokens of a webhook',       (path) => post(WRONG(path), MESSAGE),                                 404],
  ['unknown webhooks',                (path) => post(path.replace(/[0-9a-f-]{36}/, UUID), MESSAGE),         404],
  ['messages of one webhook',         (path) => post(path, MESSAGE),                                        200],
  ['large messages of one webhook',   (path) => post(path, JSON.stringify({ Content: 'x'.repeat(32_000) })), 413],
  ['bodies above the limit',          (path) => post(path, JSON.stringify({ Content: 'x'.repeat(60_000) })), 413],
  ['deep messages of one webhook',    (path) => post(path, '['.repeat(30_000)),                             400],
  ['wrong keys of SCIM',              () => post(SCIM, '{"userName":"a@example.com"}', KEY),                401],
  ['large bodies with wrong keys',    () => post(SCIM, JSON.stringify({ a: Array(20_000).fill('x') }), KEY), 401],
];

/** Creates a bot and a room in a new account. */
async function roomWithBot(server: TestServer) {
  const chime = accountOn(server).chime();
  const { Account } = await chime.send(new CreateAccountCommand({ Name: 'Hostile' }));
  const AccountId = Account?.AccountId as string;
  verifyDomain(server, AccountId, 'example.com');
  const { Bot } = await chime.send(new CreateBotCommand({ AccountId, DisplayName: 'hostile' }));
  const { Room } = await chime.send(new CreateRoomCommand({ AccountId, Name: 'room' }));
  return { chimeAccountId: AccountId, botId: Bot?.BotId as string, roomId: Room?.RoomId as string };
}

/** Returns the number of messages, and of records of accepted and of refused requests, in the database of a stopped server. */
function storedIn({ dataFolder }: TestServer) {
  const database = new DatabaseSync(join(dataFolder, 'belfry.db'), { readOnly: true });
  try {
    const { messages } = database.prepare('SELECT COUNT(*) AS messages FROM channel_message').get() as {
      readonly messages: number;
    };
    const packs = database.prepare('SELECT heads, documents FROM trail_pack').all() as { heads: string; documents: string }[];
    const own = packs.flatMap(recordsOf).filter(({ eventName }) => /Webhook|Scim/.test(eventName));
    const written = own.filter(({ document }) => document.includes('"outcome":"Success"')).length;
    return { messages, written, refused: own.length - written };
  } finally {
    database.close();
  }
}
