/**
 * Measures `belfry policy replay`: records that one second of CPU time of this process decides again, with reading the store. The records are of 100
 * users with three policies each, and name 1,000 meetings. One in 20 requests was denied.
 * Command: `node bench/replay.ts [--records 1000000] [--engine sqlite|postgres]`, with `ROUNDS` (default 5).
 */
import { parseArgs } from 'node:util';
import { proposal } from '#access/past/proposal.ts';
import { replayWindow } from '#access/past/replay-window.ts';
import type { AccountId, Arn } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import { openReadOnly } from '#store/engine/read-only.ts';
import type { Store } from '#store/store.ts';
import type { DecisionContext } from '#store/trail/decision-context.ts';
import { allow, deny, policy } from '../test/kit/policy.ts';
import { newDatabase } from './lib-database.ts';
import { processCpuMs } from './lib-turns.ts';
import { median } from './load.ts';

const { values: settings } = parseArgs({
  options: { records: { type: 'string', default: '1000000' }, engine: { type: 'string', default: 'sqlite' } },
});
const RECORDS = Number(settings.records);
const ROUNDS = Number(process.env['ROUNDS'] ?? 5);
const ACCOUNT = '111122223333' as AccountId;
const USERS = 100;
const MEETINGS = 1_000;
/** Records of one pack, as under the load of `bench/get-meeting.ts`. */
const PACK = 16;
const NOW = Date.now();
const PADDING = 'p'.repeat(1_000);
const ACTIONS = ['chime:GetMeeting', 'chime:CreateAttendee', 'chime:ListAttendees', 'chime:DeleteAttendee'];

const userArn = (i: number) => `arn:aws:iam::${ACCOUNT}:user/user-${i}` as Arn;
const policyArn = (name: string) => `arn:aws:iam::${ACCOUNT}:policy/${name}` as Arn;

async function fillIdentity(store: Store): Promise<void> {
  await store.transaction(async ({ identity }) => {
    const at = instant(NOW);
    await identity.put(ACCOUNT, 'account', ACCOUNT, { accountId: ACCOUNT, name: 'a', createdAt: at });
    for (const [name, document] of [
      ['meetings', policy(allow(['chime:GetMeeting', 'chime:*Attendee*'], `arn:aws:chime:*:${ACCOUNT}:meeting/*`))],
      ['office', policy(deny('chime:Delete*', '*', { Condition: { NotIpAddress: { 'aws:SourceIp': ['10.0.0.0/8'] } } }))],
    ] as const) {
      await identity.put(ACCOUNT, 'policy', name, {
        ...{ accountId: ACCOUNT, arn: policyArn(name), path: '/', policyName: name, policyId: `ANPA${name}`, createdAt: at, updatedAt: at },
        ...{ defaultVersionId: 'v1', nextVersion: 2, versions: [{ versionId: 'v1', document, createdAt: at }], tags: [] },
      });
    }
    for (let i = 0; i < USERS; i++) {
      await identity.put(ACCOUNT, 'user', `user-${i}`, {
        ...{ accountId: ACCOUNT, arn: userArn(i), path: '/', userName: `user-${i}`, userId: `AIDA${i}`, createdAt: at, tags: [] },
        ...{ groupIds: [], accessKeyIds: [], attachedPolicyArns: [policyArn('meetings'), policyArn('office')] },
        inlinePolicies: {
          own: policy(
            allow('chime:ListMeetings'),
            allow('chime:GetAttendee', '*', { Condition: { Bool: { 'aws:SecureTransport': 'true' } } }),
          ),
        },
      });
    }
  });
}

function contextOf(i: number, identityVersion: number): DecisionContext {
  const user = i % USERS;
  const action = ACTIONS[i % ACTIONS.length] as string;
  const isDenied = action === 'chime:DeleteAttendee' && i % 5 === 0;
  const resource = `arn:aws:chime:us-east-1:${ACCOUNT}:meeting/${String((i * 7) % MEETINGS).padStart(8, '0')}-0000-4000-8000-000000000000`;
  const by = {
    policyType: 'identity',
    policyId: policyArn(isDenied ? 'office' : 'meetings'),
    policyArn: policyArn(isDenied ? 'office' : 'meetings'),
    statement: 0,
  };
  return {
    ...{ identityVersion, identityChanged: false, now: instant(NOW + i), profile: 'sdk' },
    caller: { principal: JSON.stringify(['IAMUser', ACCOUNT, userArn(user), `AIDA${user}`, `user-${user}`]) },
    ...{ region: 'us-east-1', sourceIp: isDenied ? '192.0.2.7' : `10.0.0.${user}`, secureTransport: true },
    ...{ userAgent: 'aws-sdk-js/3.1000.0 os/linux lang/js md/nodejs#24 api/chime-sdk-meetings', referer: undefined },
    permissions: [
      {
        ...{ action, resources: [resource], added: undefined, tags: 'not read', trustPolicyOf: undefined, resourceOwner: undefined },
        ...{ resourcePolicy: undefined, always: false, undecided: false, allowedBy: isDenied ? undefined : by },
      },
    ],
    outcome: isDenied ? { effect: 'Deny', kind: 'explicit', by, resource } : { effect: 'Allow' },
  };
}

async function fill(store: Store): Promise<void> {
  await fillIdentity(store);
  const { version } = await store.transaction(({ identity }) => identity.changesSince(0));
  for (let from = 0; from < RECORDS; from += PACK) {
    await store.transaction(async ({ trail }) => {
      for (let i = from; i < from + PACK; i++) {
        const eventId = `${String(i).padStart(8, '0')}-0000-4000-8000-000000000000`;
        await trail.append({
          ...{
            eventId,
            accountId: ACCOUNT,
            region: 'us-east-1',
            at: instant(NOW + i),
            eventName: 'GetMeeting',
            eventSource: 'chime.amazonaws.com',
          },
          ...{
            readOnly: true,
            userName: `user-${i % USERS}`,
            accessKeyId: `AKIA${i % USERS}`,
            resources: [],
            document: `{"padding":"${PADDING}"}`,
          },
          context: contextOf(i, version),
        });
      }
    });
  }
}

const { url, store, remove } = await newDatabase(settings.engine);
try {
  await fill(store);
  await store.close();
  const rates: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const database = await openReadOnly(url);
    const before = processCpuMs();
    const window = { accountIds: undefined, from: instant(NOW - 1_000), to: instant(NOW + 10 * RECORDS + 3_600_000) };
    const counts = await replayWindow(database.sql, [ACCOUNT], window, proposal([]), () => {});
    const used = processCpuMs() - before;
    await database.close();
    if (counts.decided < RECORDS || counts.flipped > 0) throw new Error(`${counts.decided} decided, ${counts.flipped} flipped`);
    // The first round only warms up.
    if (round > 0) rates.push((RECORDS / used) * 1_000);
  }
  const shown = (rate: number) => Math.round(rate).toLocaleString('en');
  console.log(
    `${settings.engine}: ${shown(median(rates))} records a second of CPU time (rounds ${shown(Math.min(...rates))} to ${shown(Math.max(...rates))}), ` +
      `${(1e6 / median(rates)).toFixed(2)} µs each`,
  );
} finally {
  await remove();
}
