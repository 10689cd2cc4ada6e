/**
 * Proposals about the policies of buckets and event buses, and about condition keys that only some records have. A second and obvious
 * implementation decides each request alone, with the policy put into its context by hand.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { CreateEventBusCommand, DescribeEventBusCommand, EventBridgeClient, PutRuleCommand } from '@aws-sdk/client-eventbridge';
import { CreatePolicyCommand } from '@aws-sdk/client-iam';
import {
  CreateBucketCommand,
  DeleteBucketPolicyCommand,
  GetBucketLocationCommand,
  GetBucketPolicyCommand,
  PutBucketPolicyCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { parseProposal } from '#access/past/parse-proposal.ts';
import { decideAgain } from '#access/past/past-decision.ts';
import { pastReader, readPast } from '#access/past/past-identity.ts';
import { callerOf, requestOf } from '#access/past/past-request.ts';
import { proposal } from '#access/past/proposal.ts';
import { replayWindow } from '#access/past/replay-window.ts';
import { accountsIn } from '#cli/policy-window.ts';
import { instant } from '#core/instant.ts';
import { authorizationReference } from '#services/kit/authorization-reference.ts';
import { openReadOnly } from '#store/engine/read-only.ts';
import type { Sql } from '#store/sql.ts';
import type { Tx } from '#store/store.ts';
import type { DecisionContext, StoredContext } from '#store/trail/decision-context.ts';
import { decidedRecords, decisionsAfter, placeBefore } from '#store/trail/trail-decisions.ts';
import type { RecordFacts } from '#store/trail/trail-heads.ts';
import { trailPolicies } from '#store/trail/trail-policy.ts';
import { otherAccount, startAccount, type TestAccount } from '../kit/account.ts';
import { contentsIn } from '../kit/contents.ts';
import { newFolder } from '../kit/folder.ts';
import type { Keys } from '../kit/keys.ts';
import { verdictOf } from '../kit/outcome.ts';
import { allow, deny, policy, type Statement } from '../kit/policy.ts';
import { belfry } from '../kit/process.ts';
import { testPostgres } from '../store/test-postgres.ts';

const folder = newFolder('proposed');
const postgres = await testPostgres();

const BUCKET = 'arn:aws:s3:::ledger';
const to = (principal: unknown, statement: Statement): Statement => ({ ...statement, Principal: principal });

/** A server whose callers used a bucket, event buses and a rule. */
interface Recorded {
  readonly account: TestAccount;
  readonly other: TestAccount;
  readonly busArn: string;
  readonly database: string;
}

async function recorded(database?: string, environment: Readonly<Record<string, string>> = {}): Promise<Recorded> {
  const account = await startAccount({ ...environment, ...(database !== undefined && { BELFRY_DATABASE: database }) });
  const other = await otherAccount(account.server, 'other');
  const s3 = (of: TestAccount, keys?: Keys) => new S3Client({ ...of.client(keys), forcePathStyle: true });
  const events = (of: TestAccount, keys?: Keys) => new EventBridgeClient(of.client(keys));
  await s3(account).send(new CreateBucketCommand({ Bucket: 'ledger' }));
  await s3(account).send(new CreateBucketCommand({ Bucket: 'unused' }));
  const EventBusArn = (await events(account).send(new CreateEventBusCommand({ Name: 'shared' }))).EventBusArn as string;
  const ada = await account.user('ada', allow('s3:GetBucketLocation'), allow(['events:DescribeEventBus', 'events:PutRule']));
  const bob = await account.user('bob');
  const eve = await other.user('eve', allow(['s3:*', 'events:*']));
  const location = async (of: TestAccount, keys: Keys) => verdictOf(s3(of, keys).send(new GetBucketLocationCommand({ Bucket: 'ledger' })));
  const requests = async () => [await location(account, ada), await location(account, bob), await location(other, eve)];
  assert.deepEqual(await requests(), ['allowed', 'refused', 'refused']);
  const tested = deny('s3:GetBucketLocation', BUCKET, { Condition: { StringEquals: { 's3:authType': 'REST-QUERY-STRING' } } });
  const Policy = policy(to({ AWS: account.userArn('bob') }, allow('s3:GetBucketLocation', BUCKET)), to('*', tested));
  await s3(account).send(new PutBucketPolicyCommand({ Bucket: 'ledger', Policy }));
  assert.deepEqual(await requests(), ['allowed', 'allowed', 'refused']);
  assert.equal(await verdictOf(s3(account, bob).send(new GetBucketPolicyCommand({ Bucket: 'ledger' }))), 'refused');
  await s3(account).send(new DeleteBucketPolicyCommand({ Bucket: 'ledger' }));
  for (const [of, keys] of [
    [account, ada],
    [other, eve],
  ] as const) {
    await verdictOf(events(of, keys).send(new DescribeEventBusCommand({ Name: EventBusArn })));
    await verdictOf(events(of, keys).send(new PutRuleCommand({ Name: 'r', EventBusName: EventBusArn, EventPattern: '{"source":["a"]}' })));
  }
  await verdictOf(events(account, ada).send(new DescribeEventBusCommand({})));
  // PutRule with a role also needs iam:PassRole.
  const RoleArn = account.roleArn('any');
  const rule = new PutRuleCommand({ Name: 'r', ScheduleExpression: 'rate(1 day)', RoleArn });
  assert.equal(await verdictOf(events(account, bob).send(rule)), 'refused');
  return { account, other, busArn: EventBusArn, database: database ?? `file:${account.server.dataFolder}` };
}

/** Replays all records as if changes had been made. */
async function replayed({ database }: Recorded, ...changes: readonly object[]) {
  const proposed = proposal(parseProposal(JSON.stringify({ changes }), authorizationReference()));
  const opened = await openReadOnly(database);
  const flips: RecordFacts[] = [];
  try {
    const { sql } = opened;
    const window = { accountIds: undefined, from: instant(0), to: instant(Date.UTC(2100, 0, 1)) };
    const counts = await replayWindow(sql, await accountsIn(sql), window, proposed, ({ facts }) => flips.push(facts));
    return { flips, counts };
  } finally {
    await opened.close();
  }
}

/** Runs the command on a proposal. */
async function command({ account, database }: Recorded, ...changes: readonly object[]) {
  const file = join(folder, 'change.json');
  writeFileSync(file, JSON.stringify({ changes }));
  const place = database.startsWith('file:') ? ['--data', account.server.dataFolder] : ['--database', database];
  return await belfry(['policy', 'replay', '--change', file, ...place]);
}

/** Returns the IDs of the events whose decisions flip if `change` changes the policies of the resources by hand. */
async function flippedOneByOne(
  { database }: Recorded,
  change: (permission: DecisionContext['permissions'][number], context: DecisionContext) => string | undefined,
): Promise<readonly string[]> {
  const opened = await openReadOnly(database);
  const { sql } = opened;
  const tx = { sql, of: <T>(repository: (sql: Sql) => T) => repository(sql) } as Pick<Tx, 'sql' | 'of'>;
  const flipped: string[] = [];
  try {
    for (const { eventId, context } of await everyDecision(sql)) {
      if (context === undefined || 'omittedBytes' in context) continue;
      const texts = new Map<string, string>();
      const permissions = context.permissions.map((each, i) => {
        const text = change(each, context);
        if (text === undefined || each.resourcePolicy === undefined) return each;
        texts.set(`changed ${i}`, text);
        return { ...each, resourcePolicy: text === '' ? 'none' : `changed ${i}` };
      });
      const kept = async (hash: string) => texts.get(hash) ?? (await trailPolicies(sql).text(hash));
      const request = requestOf({ ...context, permissions }, await callerOf(tx, context), kept);
      const again = await pastReader(
        context.identityVersion,
        readPast((read) => read(tx), context.identityVersion),
      ).run((identity) => decideAgain(identity, request, context.caller));
      if (again?.outcome.effect !== context.outcome.effect) flipped.push(eventId);
    }
  } finally {
    await opened.close();
  }
  return flipped.sort();
}

async function everyDecision(sql: Sql): Promise<readonly { readonly eventId: string; readonly context: StoredContext | undefined }[]> {
  const { packs } = await decisionsAfter(sql, placeBefore(0), Number.MAX_SAFE_INTEGER, 10_000);
  return packs.map(decidedRecords).flatMap(({ facts, contexts }) => facts.map(({ eventId }, i) => ({ eventId, context: contexts[i] })));
}

/** Returns the policy that a change sets on the bucket, except when the request creates it. `''`: none. */
const onLedger = (text: string) => (permission: DecisionContext['permissions'][number], context: DecisionContext) =>
  permission.resources[0] === BUCKET && context.permissions[0]?.action !== 's3:CreateBucket' ? text : undefined;

const onSqlite = await recorded();
const onPostgres = await recorded(postgres.url, await contentsIn(onSqlite.account));

after(async () => {
  await onPostgres.account.server.stop();
  await onSqlite.account.server.stop();
  await postgres.stop();
});

for (const [engine, at] of [
  ['SQLite', onSqlite],
  ['PostgreSQL', onPostgres],
] as const) {
  const { other, busArn } = at;
  const ofOther = to({ AWS: other.rootArn }, allow('s3:GetBucketLocation', BUCKET));
  const denying = to('*', deny('s3:*', [BUCKET, `${BUCKET}/*`]));
  const ofBus = to(
    { AWS: other.rootArn },
    { ...allow('events:*', [busArn, busArn.replace('event-bus/', 'rule/').concat('/*')]), Sid: 's' },
  );
  const denyingBus = to('*', { ...deny('events:*', [busArn, `${busArn.replace('event-bus/', 'rule/')}/*`]), Sid: 'd' });
  const documents = { ofOther: [ofOther], denying: [denying], ofBus: [ofBus], denyingBus: [denyingBus] };
  const documentOf = (name: keyof typeof documents) => JSON.parse(policy(...documents[name])) as object;
  const isOfBus = ([resource = '']: readonly string[]) => resource === busArn || resource.startsWith(busArn.replace('event-bus/', 'rule/'));

  // biome-ignore format: a table
  for (const [title, resourcePolicy, document, second, names] of [
    ['a bucket policy for another account', BUCKET, documentOf('ofOther'),    onLedger(policy(ofOther)), ['GetBucketLocation', 'GetBucketLocation', 'GetBucketLocation']],
    ['a bucket policy that denies',         BUCKET, documentOf('denying'),    onLedger(policy(denying)), ['DeleteBucketPolicy', 'GetBucketLocation', 'GetBucketLocation', 'GetBucketLocation', 'PutBucketPolicy']],
    ['no bucket policy',                    BUCKET, null,                     onLedger(''),              ['GetBucketLocation']],
    ['a bus policy for another account',    busArn, documentOf('ofBus'),      (each) => (isOfBus(each.resources) ? policy(ofBus) : undefined),      ['DescribeEventBus', 'PutRule']],
    ['a bus policy that denies',            busArn, documentOf('denyingBus'), (each, { permissions }) => (isOfBus(each.resources) && permissions[0]?.action !== 'events:CreateEventBus' ? policy(denyingBus) : undefined), ['DescribeEventBus', 'PutRule']],
  ] as const satisfies readonly (readonly [string, string, object | null, Parameters<typeof flippedOneByOne>[1], readonly string[]])[]) {
    test(`replay on ${engine}: ${title} flips the same requests as a second implementation finds`, async () => {
      const { flips } = await replayed(at, { resourcePolicy, document });
      assert.deepEqual(flips.map(({ eventName }) => eventName).sort(), names);
      assert.deepEqual(flips.map(({ eventId }) => eventId).sort(), await flippedOneByOne(at, second));
    });
  }

  test(`replay on ${engine}: a key that only some records have leaves the others undecided`, async () => {
    const { counts: before } = await replayed(at);
    assert.deepEqual([...before.unknown.keys()], ['no policy decided']);
    // biome-ignore format: a table
    for (const [key, value, undecided] of [
      // The bucket policy of the second round tests s3:authType, so the records of this round have it: three requests and two about the policy.
      ['s3:authType',         'REST-HEADER', 3],
      ['s3:signatureAge',     '1',           6],
      ['s3:signatureversion', 'AWS4',        6],
      ['s3:x-amz-content-sha256', 'x',       6],
      // The requests did not use TLS, so their records are known to have no version.
      ['s3:TlsVersion',       '1.2',         0],
      ['aws:UserAgent',       'x',           0],
    ] as const) {
      const denial = to('*', deny('s3:GetBucketLocation', BUCKET, { Condition: { StringEquals: { [key]: value } } }));
      const document = JSON.parse(policy(denial)) as object;
      const { counts } = await replayed(at, { resourcePolicy: BUCKET, document });
      const reason = `a policy tests '${key.toLowerCase()}', which the server did not read for this decision`;
      assert.equal(counts.unknown.get(reason) ?? 0, undecided, key);
      assert.equal(counts.decided, before.decided - undecided, key);
    }
  });

  test(`replay on ${engine}: a proposal that allows a denied permission leaves the later ones undecided`, async () => {
    const attach = 'arn:aws:iam::aws:policy/AmazonEventBridgeFullAccess';
    const { flips, counts } = await replayed(at, { attach, to: at.account.userArn('bob') });
    assert.deepEqual(flips, []);
    assert.equal(counts.unknown.get('an earlier permission was denied then, so the facts of a later one were not read'), 1);
  });

  test(`replay on ${engine}: a policy that the last recorded request created can be changed`, async () => {
    const document = JSON.parse(policy(allow('iam:GetUser'))) as object;
    const PolicyDocument = JSON.stringify(document);
    const { Policy } = await at.account.admin.send(new CreatePolicyCommand({ PolicyName: 'newest', PolicyDocument }));
    const { status, stdout, stderr } = await command(at, { policy: Policy?.Arn, document });
    assert.deepEqual([status, stderr], [0, '']);
    assert.match(stdout, / 0 decisions flip$/m);
  });

  test(`replay on ${engine}: a policy of a bucket that no record names is an error`, async () => {
    const none = await command(at, { resourcePolicy: 'arn:aws:s3:::absent', document: null });
    assert.match(none.stderr, /no recorded decision is about 'arn:aws:s3:::absent'/);
    const invalid = await command(at, { resourcePolicy: BUCKET, document: JSON.parse(policy(allow('s3:GetObject'))) });
    assert.match(invalid.stderr, /'document': /);
    const flipped = await command(at, { resourcePolicy: BUCKET, document: null });
    assert.match(flipped.stdout, /^allowed → denied {2}s3:GetBucketLocation {2}.*user\/bob: 1$/m);
  });
}
