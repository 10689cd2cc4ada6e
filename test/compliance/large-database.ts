/** Fills a database with many users and trail records, as servers write them. */
import { randomUUID } from 'node:crypto';
import { type AccountId, arn } from '#core/arn.ts';
import { DAY_MS } from '#core/duration.ts';
import { instant, isoSeconds } from '#core/instant.ts';
import type { Store } from '#store/store.ts';
import type { TrailRow } from '#store/trail/trail-row.ts';
import { allow, policy } from '../kit/policy.ts';

export const LARGE_ACCOUNT = '111122223333' as AccountId;
/** Users and records that one transaction writes. */
const BATCH = 500;
/** Different actions of the records. Each user calls some of them. */
const ACTIONS = ['GetUser', 'ListUsers', 'CreateMeeting', 'GetMeeting', 'ListChannels', 'SendChannelMessage', 'AssumeRole'] as const;
/** One of this many records is denied. */
export const DENIED_EVERY = 10;
/** Text that makes a record about as long as one with parameters. */
const PARAMETERS = 'p'.repeat(500);

export function userName(index: number): string {
  return `user-${String(index).padStart(6, '0')}`;
}

/** Creates an account with users, each with an inline policy of its own, a password and an access key. */
export async function fillUsers(store: Store, count: number, now: number): Promise<void> {
  const createdAt = instant(now - 400 * DAY_MS);
  await store.transaction((tx) =>
    tx.identity.put(LARGE_ACCOUNT, 'account', LARGE_ACCOUNT, { accountId: LARGE_ACCOUNT, name: 'large', createdAt }),
  );
  for (let from = 0; from < count; from += BATCH) {
    await store.transaction(async (tx) => {
      for (let i = from; i < Math.min(count, from + BATCH); i++) await addUser(tx.identity, i, now);
    });
  }
}

async function addUser(records: Parameters<Parameters<Store['transaction']>[0]>[0]['identity'], i: number, now: number): Promise<void> {
  const [name, accessKeyId] = [userName(i), `AKIA${String(i).padStart(16, 'A')}`];
  const createdAt = instant(now - (i % 365) * DAY_MS);
  const userArn = arn('iam', '', LARGE_ACCOUNT, `user/${name}`);
  const document = policy(
    allow(['chime:Get*', 'chime:List*', `iam:Get${i % 2 === 0 ? 'User' : 'Role'}`], `arn:aws:chime:*:*:app-instance/${name}/*`),
  );
  await records.put(LARGE_ACCOUNT, 'user', name, {
    ...{ accountId: LARGE_ACCOUNT, arn: userArn, path: '/', createdAt, userName: name, userId: `AIDA${i}`, tags: [], groupIds: [] },
    attachedPolicyArns: [],
    inlinePolicies: { p: document },
    accessKeyIds: [accessKeyId],
    loginProfile: { passwordHash: 'canary-hash', createdAt, changedAt: createdAt, resetRequired: false },
  });
  await records.put(LARGE_ACCOUNT, 'access-key', accessKeyId, {
    ...{ accountId: LARGE_ACCOUNT, accessKeyId, userName: name, sealedSecret: 'canary-secret', status: 'Active', createdAt },
  });
}

/** Writes records of the users. */
export async function fillRecords(store: Store, count: number, users: number, now: () => number): Promise<void> {
  for (let from = 0; from < count; from += BATCH) {
    await store.transaction(async ({ trail }) => {
      for (let i = from; i < Math.min(count, from + BATCH); i++) await trail.append(recordOf(i, i % users, now()));
    });
  }
}

function recordOf(i: number, user: number, now: number): TrailRow {
  const eventName = ACTIONS[Math.floor(i / 7) % ACTIONS.length] as string;
  const at = instant(now);
  const [name, eventId, eventSource] = [userName(user), randomUUID(), 'chime.amazonaws.com'];
  const record = {
    eventVersion: '1.11',
    userIdentity: {
      type: 'IAMUser',
      principalId: `AIDA${user}`,
      arn: arn('iam', '', LARGE_ACCOUNT, `user/${name}`),
      accountId: LARGE_ACCOUNT,
      userName: name,
    },
    ...{ eventTime: isoSeconds(at), eventSource, eventName, awsRegion: 'us-east-1', sourceIPAddress: '192.0.2.1', userAgent: 'test' },
    ...(i % DENIED_EVERY === 0 && { errorCode: 'AccessDenied', errorMessage: 'denied' }),
    ...{
      requestParameters: { text: PARAMETERS },
      responseElements: null,
      requestID: eventId,
      eventID: eventId,
      recipientAccountId: LARGE_ACCOUNT,
    },
  };
  const facts = { eventId, accountId: LARGE_ACCOUNT, region: 'us-east-1', at, eventName, eventSource, readOnly: false };
  return { ...facts, userName: name, resources: [], document: JSON.stringify(record) };
}
