/** ExplainDecision about records that someone altered in the database of a running server: the error says so, and the server goes on. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { GetUserCommand } from '@aws-sdk/client-iam';
import pg from 'pg';
import { eventIdOf } from '#core/event-id.ts';
import type { AccessanalyzerApi } from '#model/generated/accessanalyzer.ts';
import { loadModel } from '#model/load.ts';
import type { OperationModel } from '#model/model.ts';
import { callOwn } from '../../src/cli/own-call.ts';
import { startAccount } from '../kit/account.ts';
import { skipReplay } from '../kit/replay.ts';
import { testPostgres } from '../store/test-postgres.ts';

skipReplay('the tests alter records');

type Columns = Readonly<Record<'heads' | 'documents' | 'contexts', string>>;
/** Returns the altered columns of a pack with one record. */
type Change = (pack: Columns) => Partial<Columns>;

/** Returns the change of a fact of the record. */
const head =
  (index: number, value: unknown): Change =>
  ({ heads }) => {
    const [first] = JSON.parse(heads) as [readonly unknown[]];
    return { heads: JSON.stringify([first.with(index, value)]) };
  };
/** Replaces the document with another one. */
const document =
  (text: string): Change =>
  (pack) => ({ documents: text, ...head(10, text.length)(pack) });
/** Returns the change of a number of the decision context. */
const number =
  (index: number, value: unknown): Change =>
  ({ contexts }) => {
    const [version, strings, [list]] = JSON.parse(contexts) as [number, readonly string[], [readonly unknown[]]];
    return { contexts: JSON.stringify([version, strings, [list.with(index, value)]]) };
  };

/** Error for a record that is not in the format of the server. */
const ALTERED = 'UnprocessableEntityException';
// biome-ignore format: a table
const CHANGES: readonly (readonly [title: string, change: Change, code: string | undefined])[] = [
  // what someone altered                                change                                                    code
  ['nothing',                                            () => ({}),                                               undefined],
  ['the document to null',                               document('null'),                                         ALTERED],
  ['the document to a list',                             document('[]'),                                           ALTERED],
  ['the document to text',                               document('x'),                                            ALTERED],
  ['the document to a part of JSON',                     document('{"requestID":'),                                ALTERED],
  ['the request ID to a number',                         document('{"requestID":7}'),                              ALTERED],
  ['the ARN of the caller to a list',                    document('{"userIdentity":{"arn":[]}}'),                  ALTERED],
  ['the time to null',                                   head(3, null),                                            ALTERED],
  ['the operation to an object',                         head(4, {}),                                              ALTERED],
  ['the heads to text',                                  ({ heads }) => ({ heads: heads.slice(0, -3) }),           ALTERED],
  ['the heads to the value null',                        () => ({ heads: 'null' }),                                ALTERED],
  ['the account to another one',                         head(1, '999999999999'),                                  'ResourceNotFoundException'],
  ['the contexts to null',                               () => ({ contexts: 'null' }),                             ALTERED],
  ['the contexts to text',                               () => ({ contexts: '[2,' }),                              ALTERED],
  ['the contexts to an unknown version',                 () => ({ contexts: '[99,[],[]]' }),                       ALTERED],
  ['the context to a short list',                        () => ({ contexts: '[2,[],[[1]]]' }),                     ALTERED],
  ['the version of identity to text',                    number(0, 'x'),                                           ALTERED],
  ['the caller to an unknown string',                    number(3, 9_999),                                         ALTERED],
  ['the number of permissions to 10 to the power of 12', number(9, 1e12),                                          ALTERED],
];

const postgres = await testPostgres();

/** Opens a database that is altered while its server runs. */
async function openTables(engine: string, dataFolder: string) {
  if (engine === 'SQLite') {
    const db = new DatabaseSync(join(dataFolder, 'belfry.db'), { timeout: 5_000 });
    return {
      read: async (eventId: string) => db.prepare('SELECT heads, documents, contexts FROM trail_pack WHERE event_id = ?').get(eventId),
      write: async (column: string, value: string, eventId: string) => {
        assert.equal(Number(db.prepare(`UPDATE trail_pack SET ${column} = ? WHERE event_id = ?`).run(value, eventId).changes), 1);
      },
      close: async () => db.close(),
    };
  }
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  return {
    read: async (eventId: string) =>
      (await client.query('SELECT heads, documents, contexts FROM trail_pack WHERE event_id = $1', [eventId])).rows[0],
    write: async (column: string, value: string, eventId: string) => {
      assert.equal((await client.query(`UPDATE trail_pack SET ${column} = $1 WHERE event_id = $2`, [value, eventId])).rowCount, 1);
    },
    close: () => client.end(),
  };
}

for (const engine of ['SQLite', 'PostgreSQL']) {
  const { server, admin, keys } = await startAccount(engine === 'SQLite' ? {} : { BELFRY_DATABASE: postgres.url });
  const tables = await openTables(engine, server.dataFolder);
  after(async () => {
    await tables.close();
    await server.stop();
  });
  const operation = loadModel('accessanalyzer').operations['ExplainDecision'] as OperationModel;
  const caller = { endpoint: server.endpoint, region: 'us-east-1', credentials: keys };

  for (const [title, change, code] of CHANGES) {
    test(`ExplainDecision on ${engine}: a record of which someone altered ${title} has ${code ?? 'its explanation'}`, async () => {
      const { $metadata } = await admin.send(new GetUserCommand({ UserName: 'admin' }));
      const eventId = eventIdOf($metadata.requestId ?? '');
      const pack = await tables.read(eventId);
      assert.ok(pack !== undefined);
      for (const [column, value] of Object.entries(change(pack as Columns))) await tables.write(column, value, eventId);
      const { status, code: found, body } = await callOwn(caller, 'accessanalyzer', operation, { requestId: $metadata.requestId });
      assert.equal(found, code, JSON.stringify(body));
      if (code === undefined) assert.equal((body as unknown as AccessanalyzerApi['ExplainDecision']['output']).decision, 'ALLOWED');
      else assert.ok(Number(status) >= 400 && Number(status) < 500);
      if (code === ALTERED) assert.match(String(body['message'] ?? body['Message']), /^The record is not in the format of the server: /);
    });
  }
}

// The servers end before their database.
after(postgres.stop);
