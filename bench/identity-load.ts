/**
 * Measures how a server loads its identity snapshot (identity records in memory) with many principals. Each principal
 * has a separate policy and access key. Measures the CPU time of loading, and the longest time for which loading blocks
 * the event loop. Also measures the memory per principal, after loading and again after each principal was looked up.
 * Command: `npm run bench identity-load`. The environment variables `PRINCIPALS` and `ACCOUNTS` set the numbers of
 * principals and accounts.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { newLease } from '#access/lease.ts';
import { principalsOf } from '#access/principals.ts';
import { newSnapshot, type Snapshot } from '#access/snapshot.ts';
import { newStacks } from '#access/stacks.ts';
import { openVault } from '#access/vault.ts';
import { newAccessKeyId } from '#core/access-key-id.ts';
import { type AccountId, arn } from '#core/arn.ts';
import { uniqueId } from '#core/base32.ts';
import { instant } from '#core/instant.ts';
import { inProcessBus } from '#server/core/bus.ts';
import { systemClock } from '#server/core/clock.ts';
import { openServers } from '#store/engine/open-servers.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import type { Store, Tx } from '#store/store.ts';
import { measureTurns } from './lib-turns.ts';

const PRINCIPALS = Number(process.env['PRINCIPALS'] ?? 100_000);
const ACCOUNTS = Number(process.env['ACCOUNTS'] ?? 100);
/** Number of principals that the preparation writes in one transaction. */
const AT_ONCE = 500;
const NOW = instant(Date.parse('2026-11-22T12:00:00Z'));

const vault = openVault([randomBytes(32)]);

function accountOf(principal: number): AccountId {
  return String(100_000_000_000 + (principal % ACCOUNTS)) as AccountId;
}

function userNameOf(principal: number): string {
  return `Employee-${principal}`;
}

/** Writes the records that CreateUser, CreatePolicy, AttachUserPolicy and CreateAccessKey write. Returns the access key ID. */
async function addPrincipal({ identity }: Tx, principal: number): Promise<string> {
  const accountId = accountOf(principal);
  const [userName, policyName] = [userNameOf(principal), `Meetings-${principal}`];
  const key = userName.toLowerCase();
  const policyArn = arn('iam', '', accountId, `policy/${policyName}`);
  const userId = uniqueId('AIDA', randomBytes);
  const accessKeyId = newAccessKeyId('AKIA', accountId, randomBytes);
  const common = { accountId, path: '/', createdAt: NOW };
  await identity.put(accountId, 'policy', policyName.toLowerCase(), {
    ...common,
    arn: policyArn,
    policyName,
    policyId: uniqueId('ANPA', randomBytes),
    defaultVersionId: 'v1',
    nextVersion: 2,
    versions: [{ versionId: 'v1', document: documentOf(principal), createdAt: NOW }],
    tags: [],
    updatedAt: NOW,
  });
  await identity.put(accountId, 'user', key, {
    ...common,
    arn: arn('iam', '', accountId, `user/${userName}`),
    userName,
    userId,
    tags: [{ key: 'team', value: `team-${principal % 50}` }],
    groupIds: [],
    accessKeyIds: [accessKeyId],
    attachedPolicyArns: [policyArn],
    inlinePolicies: {},
  });
  await identity.put(accountId, 'unique-id', userId, { accountId, kind: 'user', key });
  await identity.put(accountId, 'attachment', `${policyArn} user/${key}`, { accountId });
  const sealedSecret = vault.seal(randomBytes(30).toString('base64'), accessKeyId);
  await identity.put(accountId, 'access-key', accessKeyId, {
    accountId,
    accessKeyId,
    userName,
    sealedSecret,
    status: 'Active',
    createdAt: NOW,
  });
  return accessKeyId;
}

function documentOf(principal: number): string {
  const Resource = `arn:aws:chime:us-east-1:${accountOf(principal)}:meeting/${principal}-*`;
  const Statement = [
    { Effect: 'Allow', Action: ['chime:CreateMeeting', 'chime:ListMeetings'], Resource: '*' },
    { Effect: 'Allow', Action: ['chime:GetMeeting', 'chime:DeleteMeeting', 'chime:CreateAttendee', 'chime:ListAttendees'], Resource },
  ];
  return JSON.stringify({ Version: '2012-10-17', Statement });
}

async function fill(store: Store): Promise<readonly string[]> {
  const keys: string[] = [];
  await store.transaction(async ({ identity }) => {
    for (let i = 0; i < ACCOUNTS; i++) {
      await identity.put(accountOf(i), 'account', accountOf(i), { accountId: accountOf(i), name: `account ${i}`, createdAt: NOW });
    }
  });
  for (let from = 0; from < PRINCIPALS; from += AT_ONCE) {
    await store.transaction(async (tx) => {
      for (let i = from; i < Math.min(from + AT_ONCE, PRINCIPALS); i++) keys.push(await addPrincipal(tx, i));
    });
  }
  return keys;
}

/** Returns the number of bytes in use after a garbage collection. */
function bytes(): number {
  for (let i = 0; i < 3; i++) globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/**
 * Looks up every principal and collects its policies, which a server does for the first request of a principal. Yields
 * to the event loop regularly.
 */
async function useAll(snapshot: Snapshot, stacks: ReturnType<typeof newStacks>, accessKeyIds: readonly string[]): Promise<void> {
  const principals = principalsOf(snapshot);
  let count = 0;
  for (const accessKeyId of accessKeyIds) {
    const key = snapshot.accessKey(accessKeyId);
    const principal = key?.userName === undefined ? undefined : principals.user(key.accountId, key.userName);
    if (principal === undefined) throw new Error(`the access key ${accessKeyId} is not in the snapshot`);
    stacks.stackOf(principal);
    if (++count % 50 === 0) await nextTurn();
  }
}

const folder = mkdtempSync(join(tmpdir(), 'belfry-identity-'));
const first = await openSqlite(folder);
const accessKeyIds = await fill(first);
await first.close();

const store = await openSqlite(folder);
const { servers } = await openServers(`file:${folder}`, store);
const before = bytes();
const snapshot = newSnapshot();
const stacks = newStacks(snapshot);
const lease = newLease({
  servers,
  snapshot,
  hints: inProcessBus(),
  clock: systemClock,
  leaseMilliseconds: 2_000,
  shared: false,
  name: 'bench',
  newId: () => 'bench',
  report: (line) => console.error(line),
});
const { totalMs, blockedMs } = await measureTurns(() => lease.start());
const peak = process.memoryUsage().rss;
const loaded = bytes();
const used = await measureTurns(() => useAll(snapshot, stacks, accessKeyIds));
await nextTurn();
const afterUse = bytes();
const per = (more: number): string => `${Math.round((more - before) / PRINCIPALS)} bytes`;
console.log(
  `${PRINCIPALS} principals in ${ACCOUNTS} accounts, each with a policy and an access key: load ${(totalMs / 1000).toFixed(2)} s of CPU, ` +
    `event loop blocked for ${blockedMs.toFixed(1)} ms of CPU at most; resident then ${Math.round(peak / 2 ** 20)} MiB`,
);
console.log(
  `per principal: ${per(loaded)} after the load, ${per(afterUse)} after each was used once (${((used.totalMs * 1000) / PRINCIPALS).toFixed(1)} µs each)`,
);
await lease.stop();
await store.close();
