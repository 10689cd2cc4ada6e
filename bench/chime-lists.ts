/**
 * Measures lists and batches of Amazon Chime in a small and in a large organization: the time of one request after the other, each over HTTP
 * with signature, authorization and a durable record. The large one has 100,000 users, 10,000 rooms with 1,000,000 memberships and 100,000
 * phone numbers, the small one a hundredth of them. Prints the ratio of the two, and the ratio of a batch to a single request.
 * Command: `node bench/chime-lists.ts [--engine sqlite|postgres]`. Aims: a list takes at most 1.5 times as long in the large organization, and
 * a batch at most as long as 10 single requests.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { AccountId } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import { type AccountRecord, accounts } from '#services/chime/tables/accounts.ts';
import { type RoomMembershipRecord, roomMemberships } from '#services/chime/tables/room-memberships.ts';
import { type RoomRecord, rooms } from '#services/chime/tables/rooms.ts';
import { type UserRecord, users } from '#services/chime/tables/users.ts';
import { type NumberRecord, phoneNumbers } from '#services/chime-kit/tables/phone-numbers.ts';
import { openPostgres } from '#store/engine/postgres.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import type { Store, Tx } from '#store/store.ts';
import { testPostgres } from '../test/store/test-postgres.ts';
import { median, type Process, signed, startProcess } from './load.ts';

const { values: settings } = parseArgs({ options: { engine: { type: 'string', default: 'sqlite' } } });
const ROUNDS = Number(process.env['ROUNDS'] ?? 200);
const BATCHES = 10;
/** Records that one transaction adds. */
const AT_ONCE = 500;
/** Enterprise accounts, which have the rooms. An account has at most 1,500 rooms. One more account is a Team account. */
const ACCOUNTS = 7;

/** Numbers of the only Voice Connector, in a small and in a large organization. */
const ASSIGNED = 100;
const CONNECTOR = 'abcdefghijklmnopqrst12';

const SIZES = {
  small: { users: 1_000, rooms: 100, membersOfRoom: 100, numbers: 1_000 },
  large: { users: 100_000, rooms: 10_000, membersOfRoom: 100, numbers: 100_000 },
} as const;
type Size = (typeof SIZES)[keyof typeof SIZES];

/** An organization on a server. */
interface Organization {
  readonly server: Process;
  readonly chimeAccounts: readonly string[];
  readonly users: readonly UserRecord[];
  readonly rooms: readonly RoomRecord[];
  stop(): Promise<void>;
}

async function send(server: Process, method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const { headers, body: sent } = signed(server, method, path, body === undefined ? '' : JSON.stringify(body));
  const response = await fetch(server.endpoint + path, { method, headers, ...(body !== undefined && { body: sent }) });
  const text = await response.text();
  const answer = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
  return answer;
}

const numberAt = (i: number): string => `+1206${String(5_000_000 + i)}`;
const list = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i);

async function fill<Item>(store: Store, items: readonly Item[], add: (tx: Tx, some: readonly Item[]) => Promise<unknown>): Promise<void> {
  for (let from = 0; from < items.length; from += AT_ONCE) await store.transaction((tx) => add(tx, items.slice(from, from + AT_ONCE)));
}

/** Creates the accounts through a server, and the rest through the store of the stopped server. Starts a server on the result. */
async function organization(size: Size): Promise<Organization> {
  const postgres = settings.engine === 'postgres' ? await testPostgres() : undefined;
  const dataFolder = mkdtempSync(join(tmpdir(), 'belfry-bench-'));
  process.once('exit', () => rmSync(dataFolder, { recursive: true, force: true }));
  const options = { dataFolder, ...(postgres !== undefined && { environment: { BELFRY_DATABASE: postgres.url } }) };
  const first = await startProcess('belfry', options);
  const chimeAccounts: string[] = [];
  let owner = '';
  for (const i of list(ACCOUNTS + 1)) {
    const { Account } = (await send(first, 'POST', '/accounts', { Name: `Account ${i}` })) as {
      readonly Account: { readonly AccountId: string; readonly AwsAccountId: string };
    };
    chimeAccounts.push(Account.AccountId);
    owner = Account.AwsAccountId;
  }
  await first.stop();

  const accountId = owner as AccountId;
  const now = Date.now();
  const chimeAccountId = chimeAccounts[0] as string;
  const added: readonly UserRecord[] = list(size.users).map((i) => ({
    chimeAccountId,
    accountId,
    userId: randomUUID(),
    email: `user${i}@example.com`,
    isMember: true,
    registrationStatus: 'Registered',
    registeredAt: instant(now - size.users + i),
    userType: 'PrivateUser',
    licenseType: 'Pro',
    document: { PrimaryEmail: `user${i}@example.com`, DisplayName: `User ${i}` },
  }));
  const addedRooms: readonly RoomRecord[] = list(size.rooms).map((i) => ({
    chimeAccountId: chimeAccounts[i % ACCOUNTS] as string,
    roomId: randomUUID(),
    accountId,
    name: `Room ${i}`,
    createdBy: `arn:aws:iam::${accountId}:user/bench`,
    createdAt: instant(now - size.rooms + i),
    updatedAt: instant(now),
    // The server creates the channel of the last room, whose members change. No request reads the channels of the others.
    hasChannel: i < size.rooms - 1,
  }));
  const memberships = addedRooms.flatMap((room, i) =>
    list(size.membersOfRoom).map(
      (j): RoomMembershipRecord => ({
        roomId: room.roomId,
        memberId: (added[(i * size.membersOfRoom + j) % added.length] as UserRecord).userId,
        accountId,
        chimeAccountId: room.chimeAccountId,
        roomCreatedAt: room.createdAt,
        memberType: 'User',
        role: 'Member',
        invitedBy: room.createdBy,
        updatedAt: instant(now),
      }),
    ),
  );
  const numbers: readonly NumberRecord[] = list(size.numbers).map((i) => ({
    accountId,
    number: numberAt(i),
    orderId: 'bench',
    productType: i % 2 === 0 ? 'VoiceConnector' : 'BusinessCalling',
    ...(i % (size.numbers / ASSIGNED) === 0
      ? { state: 'Assigned', associationName: 'VoiceConnectorId', associatedTo: CONNECTOR, associatedAt: instant(now) }
      : { state: 'Unassigned' }),
    createdAt: instant(now),
    acquiredAt: instant(now),
    updatedAt: instant(now),
    document: {
      Country: 'US',
      Type: 'Local',
      Capabilities: { InboundCall: true, OutboundCall: true, InboundSMS: true, OutboundSMS: true, InboundMMS: false, OutboundMMS: false },
      products: ['BusinessCalling', 'VoiceConnector'],
    },
  }));
  const store = postgres === undefined ? await openSqlite(dataFolder) : await openPostgres(postgres.url);
  await store.transaction(async (tx) => {
    for (const id of chimeAccounts.slice(0, ACCOUNTS)) {
      const account = (await tx.of(accounts).get(accountId, id)) as AccountRecord;
      await tx.of(accounts).put({ ...account, accountType: 'EnterpriseLWA', document: { ...account.document, Domains: ['example.com'] } });
    }
  });
  await fill(store, added, (tx, some) => tx.of(users).add(some));
  await fill(store, addedRooms, async (tx, some) => {
    for (const room of some) await tx.of(rooms).add(room);
  });
  await fill(store, memberships, (tx, some) => tx.of(roomMemberships).add(some));
  await fill(store, numbers, (tx, some) => tx.of(phoneNumbers).add(some));
  await store.close();
  const server = await startProcess('belfry', options);
  return {
    server,
    chimeAccounts,
    users: added,
    rooms: addedRooms,
    async stop() {
      await server.stop();
      await postgres?.stop();
    },
  };
}

/** Returns the path of the page in the middle of a list. */
async function middleOf({ server }: Organization, path: string, pages: number): Promise<string> {
  let at = path;
  for (const _ of list(Math.floor(pages / 2))) {
    const { NextToken } = await send(server, 'GET', at);
    if (typeof NextToken !== 'string') break;
    at = `${path}&next-token=${encodeURIComponent(NextToken)}`;
  }
  return at;
}

/** Requests that read, by title. Each function returns the path for a round. */
async function reads(of: Organization): Promise<Readonly<Record<string, (round: number) => string>>> {
  const [chimeAccountId = ''] = of.chimeAccounts;
  const user = (round: number) => of.users[(round * 7919) % of.users.length] as UserRecord;
  const room = (round: number) => of.rooms[(round * 7919) % of.rooms.length] as RoomRecord;
  const allUsers = `/accounts/${chimeAccountId}/users?max-results=100`;
  const allRooms = `/accounts/${chimeAccountId}/rooms?max-results=10`;
  const numbersOf = (service: string, query = '') => `/_${service}/phone-numbers?max-results=${query === '' ? 99 : 50}${query}`;
  const connector = `&filter-name=VoiceConnectorId&filter-value=${CONNECTOR}`;
  const allNumbers = numbersOf('chime');
  const [usersMiddle, roomsMiddle, numbersMiddle, voiceMiddle] = [
    await middleOf(of, allUsers, of.users.length / 100),
    await middleOf(of, allRooms, of.rooms.length / ACCOUNTS / 10),
    await middleOf(of, allNumbers, of.users.length / 100),
    await middleOf(of, numbersOf('chime-sdk-voice'), of.users.length / 100),
  ];
  return {
    'ListUsers, first page of 100': () => allUsers,
    'ListUsers, page in the middle': () => usersMiddle,
    'ListUsers with an address': (round) => `/accounts/${chimeAccountId}/users?user-email=${encodeURIComponent(user(round).email)}`,
    GetUser: (round) => `/accounts/${chimeAccountId}/users/${user(round).userId}`,
    'ListRooms, first page of 10': () => allRooms,
    'ListRooms, page in the middle': () => roomsMiddle,
    'ListRooms of a member': (round) => `/accounts/${chimeAccountId}/rooms?member-id=${user(round).userId}`,
    'ListRoomMemberships, 50 of 100': (round) =>
      `/accounts/${room(round).chimeAccountId}/rooms/${room(round).roomId}/memberships?max-results=50`,
    'ListPhoneNumbers, first page of 99': () => allNumbers,
    'ListPhoneNumbers, page in the middle': () => numbersMiddle,
    'voice ListPhoneNumbers, first page': () => numbersOf('chime-sdk-voice'),
    'voice ListPhoneNumbers, in the middle': () => voiceMiddle,
    ...Object.fromEntries(
      (['chime', 'chime-sdk-voice'] as const).flatMap((service) =>
        Object.entries({
          'frequent status': '&status=Unassigned',
          'rare status': '&status=Assigned',
          product: '&product-type=VoiceConnector',
          'status and product': '&status=Assigned&product-type=VoiceConnector',
          connector,
        }).map(([name, query]) => [`${service} numbers: ${name}`, () => numbersOf(service, query)]),
      ),
    ),
  };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

const organizations = { small: await organization(SIZES.small), large: await organization(SIZES.large) };
try {
  console.log(`${settings.engine}: median of ${ROUNDS} requests, one after the other`);
  const [small, large] = [await reads(organizations.small), await reads(organizations.large)];
  for (const title of Object.keys(large)) {
    const times: Record<keyof typeof SIZES, number[]> = { small: [], large: [] };
    for (const round of list(ROUNDS)) {
      times.small.push(await timed(() => send(organizations.small.server, 'GET', small[title]?.(round) as string)));
      times.large.push(await timed(() => send(organizations.large.server, 'GET', large[title]?.(round) as string)));
    }
    const [a, b] = [median(times.small), median(times.large)];
    console.log(
      `${title.padEnd(40)} ${a.toFixed(2)} ms in the small, ${b.toFixed(2)} ms in the large organization; ratio ${(b / a).toFixed(2)}`,
    );
  }
  const { server, chimeAccounts, users: all, rooms: allRooms } = organizations.large;
  const [path, teamPath] = [`/accounts/${chimeAccounts[0]}`, `/accounts/${chimeAccounts[ACCOUNTS]}`];
  const { chimeAccountId, roomId } = allRooms.at(-1) as RoomRecord;
  const ofRoom = `/accounts/${chimeAccountId}/rooms/${roomId}/memberships`;
  let next = 0;
  /** Returns users that no request has used. The last room has members from the end of the list. */
  const take = (count: number) => all.slice(next, (next += count)).map(({ userId }) => userId);
  const suspended: string[] = [];
  /** Returns users that `BatchUnsuspendUser` can take later. */
  const suspend = (count: number) => {
    const some = take(count);
    suspended.push(...some);
    return some;
  };
  let nextNumber = 0;
  /** Returns numbers that no request has used and no connector has. */
  const takeNumbers = (count: number) => {
    const some: string[] = [];
    for (; some.length < count; nextNumber++) if (nextNumber % (SIZES.large.numbers / ASSIGNED) !== 0) some.push(numberAt(nextNumber));
    return some;
  };
  const member = (MemberId: string) => ({ MemberId, Role: 'Member' });
  const license = (UserId: string) => ({ UserId, LicenseType: 'Basic' });
  const batches: readonly [title: string, size: number, single: () => Promise<unknown>, batch: () => Promise<unknown>][] = [
    [
      'BatchCreateRoomMembership',
      50,
      () => send(server, 'POST', ofRoom, member(take(1)[0] as string)),
      () => send(server, 'POST', `${ofRoom}?operation=batch-create`, { MembershipItemList: take(50).map(member) }),
    ],
    [
      'BatchUpdateUser',
      20,
      () => send(server, 'POST', `${path}/users/${take(1)[0]}`, { LicenseType: 'Basic' }),
      () => send(server, 'POST', `${path}/users`, { UpdateUserRequestItems: take(20).map(license) }),
    ],
    [
      'BatchSuspendUser',
      50,
      () => send(server, 'POST', `${path}/users?operation=suspend`, { UserIdList: suspend(1) }),
      () => send(server, 'POST', `${path}/users?operation=suspend`, { UserIdList: suspend(50) }),
    ],
    [
      'BatchUnsuspendUser',
      50,
      () => send(server, 'POST', `${path}/users?operation=unsuspend`, { UserIdList: [suspended.pop()] }),
      () => send(server, 'POST', `${path}/users?operation=unsuspend`, { UserIdList: suspended.splice(0, 50) }),
    ],
    [
      'BatchUpdatePhoneNumber',
      50,
      () => send(server, 'POST', `/phone-numbers/${encodeURIComponent(takeNumbers(1)[0] as string)}`, { CallingName: 'Bench' }),
      () =>
        send(server, 'POST', '/phone-numbers?operation=batch-update', {
          UpdatePhoneNumberRequestItems: takeNumbers(50).map((PhoneNumberId) => ({ PhoneNumberId, CallingName: 'Bench' })),
        }),
    ],
    [
      'BatchDeletePhoneNumber',
      50,
      () => send(server, 'DELETE', `/phone-numbers/${encodeURIComponent(takeNumbers(1)[0] as string)}`),
      () => send(server, 'POST', '/phone-numbers?operation=batch-delete', { PhoneNumberIds: takeNumbers(50) }),
    ],
    [
      'InviteUsers',
      50,
      () => send(server, 'POST', `${teamPath}/users?operation=add`, { UserEmailList: [`${randomUUID()}@example.org`] }),
      () => send(server, 'POST', `${teamPath}/users?operation=add`, { UserEmailList: list(50).map(() => `${randomUUID()}@example.org`) }),
    ],
  ];
  for (const [title, size, single, batch] of batches) {
    const times: Record<'single' | 'batch', number[]> = { single: [], batch: [] };
    for (const _ of list(BATCHES)) {
      times.single.push(await timed(single));
      times.batch.push(await timed(batch));
    }
    const [one, many] = [median(times.single), median(times.batch)];
    console.log(`${title.padEnd(40)} ${one.toFixed(2)} ms for one, ${many.toFixed(2)} ms for ${size}; ratio ${(many / one).toFixed(1)}`);
  }
} finally {
  await organizations.small.stop();
  await organizations.large.stop();
}
