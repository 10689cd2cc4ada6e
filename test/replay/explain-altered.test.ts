/** ExplainDecision and LookupEvents about records that someone altered in the database of a running server: the error says so, and the server goes on. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { CloudTrailClient, type LookupAttributeKey, LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import { GetUserCommand, ListUsersCommand } from '@aws-sdk/client-iam';
import { CreateBucketCommand, GetBucketVersioningCommand, PutBucketPolicyCommand, S3Client } from '@aws-sdk/client-s3';
import pg from 'pg';
import { eventIdOf } from '#core/event-id.ts';
import type { AccessanalyzerApi } from '#model/generated/accessanalyzer.ts';
import { loadModel } from '#model/load.ts';
import type { OperationModel } from '#model/model.ts';
import { callOwn } from '../../src/cli/own-call.ts';
import { startAccount, type TestAccount } from '../kit/account.ts';
import { errorOf } from '../kit/outcome.ts';
import { allow, policy, trust } from '../kit/policy.ts';
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
  ['the type of the policy of its statement',            ({ contexts }) => ({ contexts: contexts.replaceAll('\\"identity\\"', '\\"other\\"') }), ALTERED],
  ['the number of permissions to 10 to the power of 12', number(9, 1e12),                                          ALTERED],
];

/** Sends a request of a role session. Returns its ID. */
async function requestOfSession(account: TestAccount): Promise<string> {
  const role = await account.role('altered', trust(account.rootArn), allow('iam:GetUser'));
  const session = await account.assume(account.keys, role);
  return (await account.iam(session).send(new GetUserCommand({ UserName: 'admin' }))).$metadata.requestId ?? '';
}

/** Sends a request on a bucket with a policy. Returns its ID. */
async function requestOnBucket({ client, rootArn }: TestAccount): Promise<string> {
  const s3 = new S3Client({ ...client(), forcePathStyle: true });
  const Bucket = 'altered-policy';
  await s3.send(new CreateBucketCommand({ Bucket }));
  const Policy = policy({ ...trust(rootArn, 's3:GetBucketVersioning'), Resource: `arn:aws:s3:::${Bucket}` });
  await s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
  return (await s3.send(new GetBucketVersioningCommand({ Bucket }))).$metadata.requestId ?? '';
}

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
      run: async (text: string) => void db.exec(text),
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
    run: async (text: string) => void (await client.query(text)),
    close: () => client.end(),
  };
}

for (const engine of ['SQLite', 'PostgreSQL']) {
  const account = await startAccount({ BELFRY_LOOKUPS_PER_SECOND: '0', ...(engine === 'PostgreSQL' && { BELFRY_DATABASE: postgres.url }) });
  const { server, admin, keys } = account;
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

  test(`LookupEvents on ${engine}: records that someone altered are an error that clients do not retry, and others can be read`, async () => {
    const before = await admin.send(new GetUserCommand({ UserName: 'admin' }));
    const eventId = eventIdOf(before.$metadata.requestId ?? '');
    await tables.write('heads', 'null', eventId);
    const trail = new CloudTrailClient({ ...account.client(), maxAttempts: 3 });
    const lookUp = (name: LookupAttributeKey, value: string) =>
      trail.send(new LookupEventsCommand({ LookupAttributes: [{ AttributeKey: name, AttributeValue: value }] }));
    const { name, message, $metadata } = await errorOf(lookUp('EventId', eventId));
    assert.deepEqual([name, $metadata?.httpStatusCode, $metadata?.attempts], ['OperationNotPermittedException', 400, 1]);
    assert.match(
      message,
      /^Records of .+ are not in the format of the server: .+ Look up events until .+ or from .+\. The operator can verify the trail\.$/,
    );
    const { $metadata: intact } = await admin.send(new ListUsersCommand({}));
    const { Events } = await lookUp('EventId', eventIdOf(intact.requestId ?? ''));
    assert.deepEqual(
      Events?.map(({ EventName }) => EventName),
      ['ListUsers'],
    );
  });

  // A space changes no meaning of JSON, so only the hash shows it.
  for (const [title, table, column, request] of [
    ['session', 'trail_session', 'facts', requestOfSession],
    ['bucket policy', 'trail_policy', 'text', requestOnBucket],
  ] as const) {
    // On PostgreSQL, buckets need another service for their objects.
    if (title === 'bucket policy' && engine !== 'SQLite') continue;
    test(`ExplainDecision on ${engine}: a stored ${title} that someone altered is not explained`, async () => {
      const requestId = await request(account);
      assert.equal((await callOwn(caller, 'accessanalyzer', operation, { requestId })).status, 200);
      await tables.run(`UPDATE ${table} SET ${column} = ${column} || ' '`);
      assert.equal((await callOwn(caller, 'accessanalyzer', operation, { requestId })).code, ALTERED);
      await tables.run(`UPDATE ${table} SET ${column} = TRIM(${column})`);
      assert.equal((await callOwn(caller, 'accessanalyzer', operation, { requestId })).status, 200);
    });
  }

  test(`ExplainDecision on ${engine}: a denied resource that no policy can name has no grant`, async () => {
    const denied = await account.user('denied');
    const { $metadata } = await errorOf(account.iam(denied).send(new ListUsersCommand({})));
    const eventId = eventIdOf($metadata?.requestId ?? '');
    const { contexts } = (await tables.read(eventId)) as Columns;
    await tables.write('contexts', contexts.replaceAll('arn:aws:iam::', 'x'), eventId);
    const { status, body } = await callOwn(caller, 'accessanalyzer', operation, { eventId });
    assert.equal(status, 200, JSON.stringify(body));
    const { change } = body as unknown as AccessanalyzerApi['ExplainDecision']['output'];
    assert.deepEqual([change?.allowsRequest, change?.grants], [false, []]);
  });
}

// The servers end before their database.
after(postgres.stop);
