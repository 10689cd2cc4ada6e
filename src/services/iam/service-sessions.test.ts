import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RoleDecision } from '#access/service-role.ts';
import { HOUR_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import { lastUseRecorder } from '#trail/last-use.ts';
import { ACCOUNT, START } from '../kit/fixture.ts';
import { addRole } from './fixture.ts';
import { recordingSessions } from './service-sessions.ts';

const SERVICE = 'events.amazonaws.com';
const ROLE = `arn:aws:iam::${ACCOUNT}:role/team/sender`;
const STOPPED = new Error('the transaction ends');

const store = await openSqlite(':memory:');
const Statement = [{ Effect: 'Allow', Principal: { Service: SERVICE }, Action: 'sts:AssumeRole' }];
await addRole(store, ROLE, { trustPolicy: { Version: '2012-10-17', Statement } });
let decision: RoleDecision = 'allowed';
let ids = 0;
const newId = () => `00000000-0000-4000-8000-${String(++ids).padStart(12, '0')}`;
const noteUse = lastUseRecorder();
const decide = recordingSessions(async () => decision, newId, noteUse);

/** Decides twice in one transaction, some time after the start. Returns the number of records of AssumeRole. */
async function records(source: string, afterMs: number, fails = false): Promise<number> {
  const request = {
    ...{ service: SERVICE, roleArn: ROLE, sessionName: 'events', actions: [], resources: [], region: 'us-east-1' },
    ...{ sourceArn: `arn:aws:events:us-east-1:${ACCOUNT}:rule/${source}`, sourceAccount: ACCOUNT, now: instant(START + afterMs) },
  };
  const run = store.transaction(async (tx) => {
    for (let i = 0; i < 2; i++) assert.equal(await decide(tx, request), decision);
    if (fails) throw STOPPED;
  });
  if (fails) await assert.rejects(run, STOPPED);
  else await run;
  const { rows } = await store.transaction(({ trail }) => trail.since(0, 1_000));
  return rows.filter(({ eventName }) => eventName === 'AssumeRole').length;
}

test('Service sessions: a service that assumes a role is recorded once an hour for each source', async () => {
  const counts = [await records('one', 0), await records('one', HOUR_MS - 1), await records('one', HOUR_MS), await records('two', HOUR_MS)];
  assert.deepEqual(counts, [1, 1, 2, 3]);
});

test('Service sessions: a transaction that fails leaves no record, and the next one records the session', async () => {
  const before = await records('one', HOUR_MS);
  assert.deepEqual([await records('three', 0, true), await records('three', 0)], [before, before + 1]);
});

for (const [refused, isRecorded] of [
  ['denied', true],
  ['not-trusted', false],
  ['no-role', false],
] as const) {
  test(`Service sessions: the decision '${refused}' ${isRecorded ? 'records the session' : 'records nothing'}`, async () => {
    const before = await records('one', HOUR_MS);
    decision = refused;
    const after = await records(refused, 0);
    decision = 'allowed';
    assert.equal(after - before, isRecorded ? 1 : 0);
  });
}

test('Service sessions: each action is a use of the role, also in a session that was recorded before', async () => {
  const use = (action: `${string}:${string}`, afterMs: number) =>
    store.transaction((tx) =>
      decide(tx, {
        ...{ service: SERVICE, roleArn: ROLE, sessionName: 'events', actions: [action], resources: [ROLE], region: 'us-east-1' },
        ...{ sourceArn: `arn:aws:events:us-east-1:${ACCOUNT}:rule/uses`, sourceAccount: ACCOUNT, now: instant(START + afterMs) },
      }),
    );
  await use('events:PutEvents', 0);
  await use('logs:PutLogEvents', 1);
  await use('events:PutEvents', HOUR_MS - 1);
  const role = await store.transaction(({ identity }) => identity.get(ACCOUNT, 'role', 'sender'));
  const uses = await store.transaction(({ lastUses }) => lastUses.of(ACCOUNT, role?.roleId ?? ''));
  assert.deepEqual(uses.map(({ service, action, at }) => [service, action, at - START]).toSorted(), [
    ['events', 'PutEvents', HOUR_MS - 1],
    ['logs', 'PutLogEvents', 1],
  ]);
});
