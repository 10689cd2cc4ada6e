import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import { ORGANIZATION_KEY } from '#store/identity/organization-records.ts';
import type { Sql } from '#store/sql.ts';
import type { Tx } from '#store/store.ts';
import type { AnalyzedKind, AnalyzedResource, AnalyzedResourceChanged } from '../../kit/analyzed-resources.ts';
import type { BusEvent } from '../../kit/bus-event.ts';
import type { DomainEvent } from '../../kit/events.ts';
import { ACCOUNT, OTHER_ACCOUNT, START, workFor } from '../../kit/fixture.ts';
import { analyzeChange } from '../external/analysis.ts';
import { type AnalyzerType, analyzers } from '../tables/analyzers.ts';
import { findings } from '../tables/findings.ts';
import { scanAnalyzers } from './scan.ts';

const STRANGER = '999988887777' as AccountId;
const ARN = `arn:aws:iam::${ACCOUNT}:role/r`;
const EVENT: AnalyzedResourceChanged = { type: 'AnalyzedResourceChanged', accountId: ACCOUNT, resourceType: 'AWS::IAM::Role', arn: ARN };
const trusting = (...accounts: readonly string[]) =>
  JSON.stringify({ Statement: accounts.map((AWS) => ({ Effect: 'Allow', Principal: { AWS }, Action: 'sts:AssumeRole' })) });

/** Kind of resources with one role, which the test changes. */
function roles(resource: AnalyzedResource | undefined): readonly AnalyzedKind[] {
  const all = resource === undefined ? [] : [resource];
  return [{ type: 'AWS::IAM::Role', find: async () => resource, list: async (_work, _account, after) => (after === undefined ? all : []) }];
}

/** Returns a transaction whose repositories count their statements. */
function counted(tx: Tx): { readonly tx: Tx; readonly statements: () => number } {
  let statements = 0;
  const counting =
    <Args extends readonly unknown[], Result>(run: (...args: Args) => Result) =>
    (...args: Args): Result => {
      statements++;
      return run(...args);
    };
  const { sql } = tx;
  const probe = { row: counting(sql.row), rows: counting(sql.rows), run: counting(sql.run) } as Sql;
  return { tx: { ...tx, of: (repository) => repository(probe) }, statements: () => statements };
}

async function open(...types: readonly (readonly [AccountId, AnalyzerType])[]) {
  const store = await openSqlite(':memory:');
  await store.transaction(async (tx) => {
    for (const [accountId, type] of types) {
      const place = { accountId, region: 'us-east-1', name: type, analyzerId: `${accountId} ${type}` };
      await tx.of(analyzers).add({ ...place, type, tags: [], createdAt: START, scanAt: START });
    }
  });
  const emitted: DomainEvent[] = [];
  const change = (resource: AnalyzedResource | undefined) =>
    store.transaction((tx) => analyzeChange(workFor(tx, START, emitted), roles(resource), EVENT));
  const of = (accountId: AccountId, type: AnalyzerType) =>
    store.transaction(async (tx) =>
      (await tx.of(findings).list({ analyzerId: `${accountId} ${type}`, order: 'id', descending: false }, 1_000)).map(
        ({ status }) => status,
      ),
    );
  return { store, emitted, change, of };
}

test('analyzeChange: an account without analyzers costs one look-up', async () => {
  const { store } = await open([OTHER_ACCOUNT, 'ACCOUNT']);
  await store.transaction(async (tx) => {
    const { tx: probe, statements } = counted(tx);
    await analyzeChange(workFor(probe, START), roles({ arn: ARN, policy: trusting(STRANGER) }), EVENT);
    assert.equal(statements(), 1);
  });
});

test('analyzeChange: an organization and an account have different zones of trust', async () => {
  const { store, change, of } = await open([ACCOUNT, 'ACCOUNT'], [OTHER_ACCOUNT, 'ORGANIZATION']);
  await store.transaction(async ({ identity }) => {
    const target = { attachedPolicyIds: [], tags: [] };
    await identity.put(OTHER_ACCOUNT, 'organization', ORGANIZATION_KEY, {
      ...{ accountId: OTHER_ACCOUNT, organizationId: 'o-abcdefghij', featureSet: 'ALL', createdAt: START, serviceControl: 'disabled' },
      root: { ...target, rootId: 'r-abcd' },
      serviceAccess: { 'access-analyzer.amazonaws.com': START },
    });
    for (const memberId of [OTHER_ACCOUNT, ACCOUNT])
      await identity.put(memberId, 'organization-member', ORGANIZATION_KEY, { accountId: memberId, managementAccountId: OTHER_ACCOUNT });
  });
  await change({ arn: ARN, policy: trusting(OTHER_ACCOUNT) });
  assert.deepEqual([await of(ACCOUNT, 'ACCOUNT'), await of(OTHER_ACCOUNT, 'ORGANIZATION')], [['ACTIVE'], []]);
  await change({ arn: ARN, policy: trusting(STRANGER) });
  assert.deepEqual(
    [(await of(ACCOUNT, 'ACCOUNT')).toSorted(), await of(OTHER_ACCOUNT, 'ORGANIZATION')],
    [['ACTIVE', 'RESOLVED'], ['ACTIVE']],
  );
});

test('analyzeChange: each new status is an event of the account of the analyzer', async () => {
  const { change, emitted } = await open([ACCOUNT, 'ACCOUNT']);
  const sent = () =>
    (emitted.splice(0) as BusEvent[]).map(({ accountId, source, detailType, resources, detail }) => ({
      ...{ accountId, source, detailType, resources },
      ...{ status: detail['status'], principal: detail['principal'], isDeleted: detail['isDeleted'] },
    }));
  const event = {
    ...{ accountId: ACCOUNT, source: 'aws.access-analyzer', detailType: 'Access Analyzer Finding' },
    ...{ resources: [`arn:aws:access-analyzer:us-east-1:${ACCOUNT}:analyzer/ACCOUNT`], principal: { AWS: STRANGER }, isDeleted: false },
  };
  await change({ arn: ARN, policy: trusting(STRANGER) });
  assert.deepEqual(sent(), [{ ...event, status: 'ACTIVE' }]);
  await change({ arn: ARN, policy: trusting(STRANGER) });
  assert.deepEqual(sent(), []);
  await change(undefined);
  assert.deepEqual(sent(), [{ ...event, status: 'RESOLVED' }]);
});

test('analyzeChange: a policy that changes again and again keeps a limited number of resolved findings', async () => {
  const { change, of } = await open([ACCOUNT, 'ACCOUNT']);
  const accounts = (round: number) => Array.from({ length: 150 }, (_, i) => String(200_000_000_000 + round * 1_000 + i));
  for (let round = 0; round < 5; round++) await change({ arn: ARN, policy: trusting(...accounts(round)) });
  const statuses = await of(ACCOUNT, 'ACCOUNT');
  assert.deepEqual([statuses.length, statuses.filter((status) => status === 'ACTIVE').length], [650, 150]);
});

test('analyzeChange: after 2,000 findings, a scan brings the findings of the other analyzers up to date', async () => {
  const { store, change } = await open();
  const regions = Array.from({ length: 10 }, (_, i) => `region-${i}`);
  await store.transaction(async (tx) => {
    for (const region of regions) {
      const place = { accountId: ACCOUNT, region, name: 'own', analyzerId: region };
      await tx.of(analyzers).add({ ...place, type: 'ACCOUNT', tags: [], createdAt: START, scanAt: START });
    }
  });
  const openIn = (regionId: string) => store.transaction(async (tx) => (await tx.of(findings).open(regionId, ARN)).length);
  const counts = async () => {
    const found: number[] = [];
    for (const region of regions) found.push(await openIn(region));
    return found;
  };
  let present: readonly AnalyzedResource[] = [];
  const step = scanAnalyzers([
    { type: 'AWS::IAM::Role', find: async () => present[0], list: async (_w, _a, after) => (after ? [] : present) },
  ])();
  const scan = async (now: typeof START) => {
    while ((await step((run) => store.transaction((tx) => run(workFor(tx, now))))) === 'more');
  };
  const resource = { arn: ARN, policy: trusting(...Array.from({ length: 300 }, (_, i) => String(200_000_000_000 + i))) };
  await scan(START);

  present = [resource];
  await change(resource);
  assert.deepEqual(await counts(), [...Array(7).fill(300), 0, 0, 0]);
  await scan(START);
  assert.deepEqual(await counts(), Array(10).fill(300));

  present = [];
  await change(undefined);
  assert.deepEqual(await counts(), [...Array(7).fill(0), 300, 300, 300]);
  await scan(instant(START + 1));
  assert.deepEqual(await counts(), Array(10).fill(0));
});

test('analyzeChange: a change during a scan starts another scan at its end', async () => {
  const { store } = await open([ACCOUNT, 'ACCOUNT']);
  const read = () => store.transaction((tx) => tx.of(analyzers).get({ accountId: ACCOUNT, region: 'us-east-1', name: 'ACCOUNT' }));
  const step = scanAnalyzers(roles(undefined))();
  const run = () => step((work) => store.transaction((tx) => work(workFor(tx, START))));
  await run();
  const scanning = await read();
  assert.ok(scanning?.scan !== undefined);
  await store.transaction((tx) => tx.of(analyzers).rescan(scanning, START));
  assert.deepEqual((await read())?.scan, { ...scanning.scan, again: true });
  while ((await read())?.scan !== undefined) await run();
  assert.equal((await read())?.scanAt, START);
  await run();
  while ((await read())?.scan !== undefined) await run();
  assert.ok(((await read())?.scanAt ?? START) > START);
});

test('Scans: of two servers with one database, one scans until its turn ends', async () => {
  const { store, of } = await open([ACCOUNT, 'ACCOUNT']);
  const kinds = roles({ arn: ARN, policy: trusting(STRANGER) });
  const transactAt =
    (now: number) =>
    <T>(run: (work: ReturnType<typeof workFor>) => Promise<T>): Promise<T> =>
      store.transaction((tx) => run(workFor(tx, now as typeof START)));
  const [first, second] = [scanAnalyzers(kinds)(), scanAnalyzers(kinds)()];
  assert.equal(await first(transactAt(START)), 'more');
  assert.equal(await second(transactAt(START)), 'done');
  assert.equal(await second(transactAt(START + 31_000)), 'more', 'the turn of the first server has ended');
  assert.equal(await first(transactAt(START + 31_000)), 'done');
  while ((await second(transactAt(START + 31_000))) === 'more');
  assert.deepEqual(await of(ACCOUNT, 'ACCOUNT'), ['ACTIVE']);
});
