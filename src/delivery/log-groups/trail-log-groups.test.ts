/** Log groups and topics of trails on a store with a set clock, on both engines. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { RoleDecision, RoleRequest } from '#access/service-role.ts';
import type { AccountId } from '#core/arn.ts';
import { DAY_MS, MINUTE_MS } from '#core/duration.ts';
import { trails } from '#services/cloudtrail/tables/trails.ts';
import { workFor } from '#services/kit/fixture.ts';
import { OUTGOING } from '#services/kit/outgoing.ts';
import { logGroups } from '#services/logs/tables/groups.ts';
import { LOG_PACK } from '#services/logs/tables/packs.ts';
import { openPostgres } from '#store/engine/postgres.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import { ORGANIZATION_KEY } from '#store/identity/organization-records.ts';
import type { Store } from '#store/store.ts';
import type { TrailRow } from '#store/trail/trail-row.ts';
import { testPostgres } from '../../../test/store/test-postgres.ts';
import { deliveredPositions } from '../delivered-positions.ts';
import { deliveryFixture, recordOf, START, testClock } from '../delivery-fixture.ts';
import type { Transact } from '../holder.ts';
import { trailLogGroups } from './trail-log-groups.ts';

const [ANN, BEN] = ['111111111111', '222222222222'] as [AccountId, AccountId];
const ROLE = `arn:aws:iam::${ANN}:role/writer`;
const groupArn = (name: string) => `arn:aws:logs:us-east-1:${ANN}:log-group:${name}:*`;
const groupOf = (name: string) => ({ CloudWatchLogsLogGroupArn: groupArn(name), CloudWatchLogsRoleArn: ROLE });
/** Time after which all engines return a record. */
const SETTLED_MS = 61_000;

const database = await testPostgres();
after(() => database.stop());
let schema = 0;
const ENGINES: readonly (readonly [engine: string, open: (now: () => number) => Promise<Store>])[] = [
  ['SQLite', (now) => openSqlite(':memory:', { now })],
  ['PostgreSQL', (now) => openPostgres(database.url, { now })],
];
const TABLES = ['cloudtrail_trail', 'cloudtrail_delivery', 'cloudtrail_former_selectors', 'delivery_retry', 'outgoing', 'log_pack'];

type Fixture = ReturnType<typeof fixtureOf>;

function fixtureOf(store: Store, clock: ReturnType<typeof testClock>) {
  const own = deliveryFixture(store, clock);
  const asked: RoleRequest[] = [];
  let decide: (request: RoleRequest) => RoleDecision = () => 'allowed';
  const source = () =>
    trailLogGroups({
      ...{ now: clock.wall, monotonic: clock.monotonic, random: () => Uint8Array.of(255), workIn: (tx) => workFor(tx, clock.wall()) },
      report: (line) => own.reports.push(line),
      async decideRole(_tx, request) {
        asked.push(request);
        return decide(request);
      },
    });
  let first = source();
  return {
    ...own,
    asked,
    roles(decision: typeof decide) {
      decide = decision;
    },
    group: (name: string) =>
      store.transaction((tx) =>
        tx.of(logGroups).add({
          ...{ accountId: ANN, region: 'us-east-1', name, groupId: `group ${name}`, createdAt: clock.wall() },
          ...{ deletionProtection: false, storedBytes: 0, tags: [] },
        }),
      ),
    /** Replaces the server that writes. */
    otherServer() {
      first = source();
    },
    /** Runs one pass some time later. By default, all records are settled then. */
    async write(afterMs = SETTLED_MS, transaction: Transact = (work) => store.transaction(work)) {
      clock.set(clock.wall() + afterMs);
      while ((await first.step(transaction)) === 'more');
    },
    /** Returns the stream and the ID of each log event of a group, in the order of the writes. */
    async events(name: string): Promise<readonly string[]> {
      const packs = await store.transaction((tx) => LOG_PACK.rows(tx.sql, `SELECT ${LOG_PACK.names} FROM log_pack`, []));
      return packs
        .filter(({ groupId }) => groupId === `group ${name}`)
        .flatMap(({ streamName, events }) =>
          events.map(([, message]) => `${streamName} ${(JSON.parse(message) as { eventID: string }).eventID}`),
        )
        .sort();
    },
    outgoing: () => store.transaction((tx) => OUTGOING.page(tx.sql, [], [0], 1_000)),
    status: (trailId: string, region = 'us-east-1') => store.transaction((tx) => tx.of(trails).delivery(trailId, region)),
  };
}

const STREAM = `${ANN}_CloudTrail_us-east-1`;

for (const [engine, open] of ENGINES) {
  describe(`log groups of trails on ${engine}`, () => {
    const on = (title: string, run: (own: Fixture) => Promise<void>): void => {
      test(`trail log groups: ${title}`, async () => {
        // On PostgreSQL the tests share a database. So the clock of each test is a month after that of the one before.
        const clock = testClock(START + ++schema * 30 * DAY_MS);
        const store = await open(() => clock.wall());
        try {
          await store.transaction(async ({ sql }) => {
            for (const table of TABLES) await sql.run(`DELETE FROM ${table}`);
            await sql.run('DELETE FROM log_group');
            await sql.run("DELETE FROM meta WHERE name = 'trail-delivery'");
          });
          await run(fixtureOf(store, clock));
        } finally {
          await store.close();
        }
      });
    };
    writes(on);
    fails(on);
    notifies(on);
  });
}

type On = (title: string, run: (own: Fixture) => Promise<void>) => void;

function writes(on: On): void {
  on('each selected record is written once, by several servers, in the stream of its account', async (own) => {
    await own.group('g');
    const readOnly = { eventSelectors: [{ ReadWriteType: 'WriteOnly' as const }] };
    const trail = await own.trail(ANN, groupOf('g'), readOnly);
    await own.trail(BEN, {}, {}, 'without');
    await own.record(ANN, ['a', 'b']);
    await own.record(ANN, ['read'], { readOnly: true });
    await own.record(BEN, ['c']);
    await own.write();
    await own.write();
    own.otherServer();
    await own.record(ANN, ['d'], { region: 'eu-west-1' });
    await own.write();
    assert.deepEqual(
      await own.events('g'),
      ['a', 'b', 'd'].map((id) => `${STREAM} ${id}`),
    );
    const [request] = own.asked;
    assert.deepEqual(
      [request?.service, request?.roleArn, request?.actions, request?.resources, request?.sourceArn],
      [
        'cloudtrail.amazonaws.com',
        ROLE,
        ['logs:CreateLogStream', 'logs:PutLogEvents'],
        [`arn:aws:logs:us-east-1:${ANN}:log-group:g:log-stream:${STREAM}`],
        `arn:aws:cloudtrail:us-east-1:${ANN}:trail/audit`,
      ],
    );
    assert.equal((await own.status(trail.trailId))?.logsAt, own.clock.wall());
    assert.equal((await own.status(trail.trailId, 'eu-west-1'))?.logsAt, own.clock.wall());
  });

  on('records of more than 256 KB are omitted, and large steps are divided into batches', async (own) => {
    await own.group('g');
    await own.trail(ANN, groupOf('g'));
    const sized = (eventID: string, length: number): Partial<TrailRow> => {
      const empty = JSON.stringify({ eventID, filler: '' }).length;
      return { document: JSON.stringify({ eventID, filler: 'x'.repeat(length - empty) }) };
    };
    await own.record(ANN, ['large'], sized('large', 256 * 1024 + 1));
    for (const id of ['a', 'b', 'c', 'd', 'e']) await own.record(ANN, [id], sized(id, 256 * 1024));
    await own.write();
    assert.deepEqual(
      await own.events('g'),
      ['a', 'b', 'c', 'd', 'e'].map((id) => `${STREAM} ${id}`),
    );
  });

  on('an organization trail writes the records of a member in a stream with the ID of the organization', async (own) => {
    await own.read(async ({ identity }) => {
      const organization = { accountId: ANN, organizationId: 'o-example' };
      await identity.put(ANN, 'organization', ORGANIZATION_KEY, organization as never);
      for (const accountId of [ANN, BEN])
        await identity.put(accountId, 'organization-member', ORGANIZATION_KEY, { accountId, managementAccountId: ANN });
    });
    await own.group('g');
    await own.trail(ANN, { ...groupOf('g'), IsOrganizationTrail: true, SnsTopicARN: `arn:aws:sns:us-east-1:${ANN}:files` });
    await own.record(ANN, ['a']);
    await own.record(BEN, ['b']);
    await own.write();
    assert.deepEqual(await own.events('g'), [`${STREAM} a`, `o-example_${BEN}_CloudTrail_us-east-1 b`]);
    await own.deliver(own.server());
    const messages = await own.outgoing();
    assert.deepEqual(messages.map(({ body }) => JSON.parse(body).s3ObjectKey[0]).sort(), own.files.map(({ key }) => key).sort());
    assert.equal(messages.length, 2);
  });

  on('each period is written to its own group, and ends after its files and its log events', async (own) => {
    await own.group('one');
    await own.group('two');
    const trail = await own.trail(ANN, groupOf('one'));
    await own.record(ANN, ['a']);
    await own.change(trail, 'change', { configuration: groupOf('two') });
    await own.record(ANN, ['b']);
    own.clock.set(own.clock.wall() + 20 * MINUTE_MS);
    await own.deliver(own.server());
    assert.equal((await own.stored(trail)).periods.length, 2);
    await own.write();
    assert.deepEqual([await own.events('one'), await own.events('two')], [[`${STREAM} a`, `${STREAM} change`], [`${STREAM} b`]]);
    await own.deliver(own.server());
    const [period, ...others] = (await own.stored(trail)).periods;
    assert.deepEqual([period?.changeRequestId, others], ['change', []]);
  });
}

function fails(on: On): void {
  const CODES: readonly (readonly [title: string, group: string, decision: RoleDecision, code: string])[] = [
    ['a deleted group', 'none', 'allowed', 'ResourceNotFoundException'],
    ['a deleted role', 'g', 'no-role', 'AccessDeniedException'],
    ['a role that no longer trusts', 'g', 'not-trusted', 'AccessDeniedException'],
    ['a role that no longer allows', 'g', 'denied', 'AccessDeniedException'],
  ];
  for (const [title, group, decision, code] of CODES) {
    on(`${title} delays only its trail, and its records are written later`, async (own) => {
      await own.group('g');
      const trail = await own.trail(ANN, groupOf(group), {}, 'failing');
      await own.trail(ANN, { ...groupOf('other'), CloudWatchLogsRoleArn: `${ROLE}-2` }, {}, 'other');
      await own.group('other');
      own.roles(({ roleArn }) => (roleArn === ROLE ? decision : 'allowed'));
      await own.record(ANN, ['a']);
      await own.write();
      assert.deepEqual([await own.events('g'), await own.events('other')], [[], [`${STREAM} a`]]);
      assert.equal((await own.status(trail.trailId))?.logsError, code);
      const positions = await own.read((tx) => deliveredPositions(tx, [ANN]));
      assert.equal(positions(ANN), (await own.stored(trail)).deliveredPosition);
      await own.group('none');
      own.roles(() => 'allowed');
      // The next attempt is due 30 seconds after the first one.
      await own.write(1_000);
      assert.deepEqual(await own.events(group), []);
      await own.write();
      assert.deepEqual(await own.events(group), [`${STREAM} a`]);
      const { logsError, logsAt } = (await own.status(trail.trailId)) ?? {};
      assert.deepEqual([logsError, logsAt], [undefined, own.clock.wall()]);
    });
  }

  on('records older than 14 days are omitted, and an ended period is abandoned after an hour', async (own) => {
    const trail = await own.trail(ANN, groupOf('g'));
    await own.record(ANN, ['old']);
    own.clock.set(own.clock.wall() + 15 * DAY_MS);
    await own.record(ANN, ['new']);
    await own.write();
    await own.group('g');
    own.clock.set(own.clock.wall() + MINUTE_MS);
    await own.write();
    assert.deepEqual(await own.events('g'), [`${STREAM} new`]);
    own.roles(() => 'denied');
    await own.read(async (tx) => {
      await tx.of(trails).stop((await tx.of(trails).byId(trail.trailId)) ?? assert.fail('exists'), own.clock.wall(), 'stop');
    });
    await own.record(ANN, ['stop'], recordOf('stop'));
    own.clock.set(own.clock.wall() + 2 * 60 * MINUTE_MS);
    await own.write();
    assert.deepEqual(
      (await own.stored(trail)).periods.map(({ logsPosition }) => logsPosition),
      [undefined],
    );
    assert.match(own.reports.at(-1) ?? '', /^abandoned the delivery of records of trail '.*' to '.*': AccessDeniedException$/);
    await own.deliver(own.server());
    assert.deepEqual((await own.stored(trail)).periods, []);
  });

  on('a failed transaction writes nothing, and the next pass writes each record once', async (own) => {
    await own.group('g');
    await own.trail(ANN, groupOf('g'));
    await own.record(ANN, ['a', 'b']);
    let count = 0;
    // The transactions of the pass: the trails, two of the records, and the write.
    const failing: Transact = (work) =>
      own.store.transaction(async (tx) => {
        const result = await work(tx);
        if (++count === 4) throw new Error('the disk is full');
        return result;
      });
    await assert.rejects(own.write(SETTLED_MS, failing), /the disk is full/);
    assert.deepEqual(await own.events('g'), []);
    await own.write();
    assert.deepEqual(await own.events('g'), [`${STREAM} a`, `${STREAM} b`]);
  });
}

function notifies(on: On): void {
  on('each delivered file has one notification, and a file that was not delivered has none', async (own) => {
    const SnsTopicARN = `arn:aws:sns:us-east-1:${ANN}:files`;
    const trail = await own.trail(ANN, { SnsTopicARN });
    await own.record(ANN, ['a']);
    await own.record(ANN, ['b'], { region: 'eu-west-1' });
    await own.deliver(own.server({ target: { put: async () => Promise.reject(new Error('full')) } }));
    assert.deepEqual(await own.outgoing(), []);
    await own.deliver(own.server());
    await own.deliver(own.server());
    const messages = await own.outgoing();
    assert.deepEqual(
      messages.map(({ region, target, body, sender }) => ({ region, target, sender, ...JSON.parse(body) })),
      own.files.map(({ key, bucket }) => ({
        region: key.split('/')[3],
        target: { kind: 'sns', arn: SnsTopicARN },
        sender: { service: 'cloudtrail.amazonaws.com', sourceArn: `arn:aws:cloudtrail:us-east-1:${ANN}:trail/audit`, sourceAccount: ANN },
        s3Bucket: bucket,
        s3ObjectKey: [key],
      })),
    );
    assert.equal(messages.length, 2);
    await own.change(trail, 'change', { configuration: { SnsTopicARN: undefined } as never });
    await own.record(ANN, ['c']);
    await own.deliver(own.server());
    // The record of the change belongs to the period with the topic.
    assert.deepEqual([own.files.length, (await own.outgoing()).length], [4, 3]);
  });
}
