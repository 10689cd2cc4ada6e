import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DAY_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import { ALICE, NOON, type Suite } from '#store/conformance-fixtures.ts';
import { placeOf, type UserRecord, users } from './users.ts';

const user = (chimeAccountId: string, userId: string, more: Partial<UserRecord> = {}): UserRecord => ({
  chimeAccountId,
  userId,
  accountId: ALICE,
  email: `${userId}@${chimeAccountId}.example.com`,
  isMember: false,
  registrationStatus: 'Unregistered',
  invitationStatus: 'Pending',
  invitedAt: NOON,
  userType: 'PrivateUser',
  licenseType: 'Pro',
  document: { PrimaryEmail: `${userId}@example.com` },
  ...more,
});
const registered = (chimeAccountId: string, userId: string, ms = 0, more: Partial<UserRecord> = {}): UserRecord =>
  user(chimeAccountId, userId, { isMember: true, registrationStatus: 'Registered', registeredAt: instant(NOON + ms), ...more });
const stored = (record: UserRecord) => ({ ...record, ...placeOf(record) });
const ids = (records: readonly UserRecord[]) => records.map(({ userId }) => userId);

export function conformance(suite: Suite): void {
  describe('chime users', () => {
    findsUsers(suite);
    changesUsers(suite);
  });
}

function findsUsers({ within, fresh }: Suite): void {
  test('users: a user is found by ID, by address and by PIN, only in its account', async () => {
    const here = fresh();
    const one = registered(here, 'a', 5, { personalPin: `01${here}`.slice(-10), accountId: here });
    const { email, personalPin = '' } = one;
    const read = await within(async (tx) => {
      const repository = tx.of(users);
      await repository.add([one]);
      return [
        await repository.get(here, 'a'),
        await repository.get('elsewhere', 'a'),
        await repository.getByEmail(here, email),
        await repository.getByEmail('elsewhere', email),
        await repository.memberWithEmail(email),
        await repository.hasPin(personalPin),
        await repository.hasPin('none'),
        await repository.profiles(here, [email]),
        await repository.profiles(ALICE, [email]),
        await repository.profilesById(here, ['a', 'unknown']),
        await repository.profilesById(ALICE, ['a']),
      ];
    });
    assert.deepEqual(read, [
      stored(one),
      undefined,
      stored(one),
      undefined,
      stored(one),
      true,
      false,
      [stored(one)],
      [],
      [stored(one)],
      [],
    ]);
  });

  test('users: an address is unique in an account, and among the members of all accounts', async () => {
    const [here, there] = [fresh(), fresh()];
    const email = `ada@${here}.example.com`;
    const outcomes = await within(async (tx) => {
      const { add, memberWithEmail } = tx.of(users);
      return [
        await add([user(here, 'a', { email })]),
        await add([user(here, 'b', { email })]),
        await add([registered(there, 'c', 0, { email })]),
        await add([registered(`${there} too`, 'd', 0, { email })]),
        await add([user(`${there} too`, 'e', { email })]),
        (await memberWithEmail(email))?.userId,
      ];
    });
    assert.deepEqual(outcomes, ['added', 'exists', 'added', 'exists', 'added', 'c']);
  });

  test('users: a PIN is unique among all accounts', async () => {
    const [here, there] = [fresh(), fresh()];
    const personalPin = here.slice(-10);
    const outcomes = await within(async (tx) => {
      const { add } = tx.of(users);
      return [await add([registered(here, 'a', 0, { personalPin })]), await add([registered(there, 'b', 0, { personalPin })])];
    });
    assert.deepEqual(outcomes, ['added', 'exists']);
  });
}

function changesUsers({ within, fresh }: Suite): void {
  test('users: 12 users are added, read by ID or address, and get a state together', async () => {
    const here = fresh();
    const many = Array.from({ length: 12 }, (_, i) => registered(here, `u${10 + i}`, i));
    const changed = ['u10', 'u21'];
    const read = await within(async (tx) => {
      const repository = tx.of(users);
      const added = await repository.add(many);
      await repository.setSome(here, changed, { isMember: false, registrationStatus: 'Suspended', licenseType: 'Basic' });
      await repository.setSome(here, ['u21'], { isMember: true, registrationStatus: 'Registered' });
      await repository.setSome(here, [], { isMember: false, registrationStatus: 'Suspended' });
      return {
        added,
        some: (await repository.getSome(here, ['u21', 'u10', 'unknown'])).toSorted((a, b) => (a.userId < b.userId ? -1 : 1)),
        none: await repository.getSome(here, []),
        emails: ids(await repository.withEmails(here, [`u11@${here}.example.com`, 'unknown'])),
        registered: ids(await repository.registered(here, 20)),
        next: ids(await repository.registered(here, 2, 'u12')),
        registrations: await repository.registrations(here, instant(NOON + 11)),
        before: await repository.registrations(here, instant(NOON + 1)),
      };
    });
    const [first, last] = [many[0] as UserRecord, many[11] as UserRecord];
    assert.deepEqual(read, {
      added: 'added',
      some: [
        stored({ ...first, isMember: false, registrationStatus: 'Suspended', licenseType: 'Basic' }),
        stored({ ...last, licenseType: 'Basic' }),
      ],
      none: [],
      emails: ['u11'],
      registered: ids(many).slice(1),
      next: ['u13', 'u14'],
      // That of u10, who was suspended, and that of u21, which is later, are not counted.
      registrations: [{ day: Math.floor(NOON / DAY_MS), count: 10 }],
      before: [],
    });
  });

  test('users: list returns registered users by registration, then the others by invitation, optionally of one type', async () => {
    const here = fresh();
    const invited = (userId: string, ms: number) => user(here, userId, { invitedAt: instant(NOON + ms) });
    const device = registered(here, 'device', 4, { userType: 'SharedDevice' });
    const all = [invited('late', 9), registered(here, 'second', 3), invited('early', 1), registered(here, 'first', 2), device];
    const read = await within(async (tx) => {
      const repository = tx.of(users);
      await repository.add([...all, registered(`${here} too`, 'other')]);
      const after = async (userId: string) => ids(await repository.list(here, undefined, 2, await placed(userId)));
      const placed = async (userId: string) => (await repository.list(here, undefined, 9)).find((each) => each.userId === userId) as never;
      return [
        ids(await repository.list(here, undefined, 9)),
        await after('first'),
        await after('device'),
        await after('late'),
        ids(await repository.list(here, 'SharedDevice', 9)),
        ids(await repository.list(here, 'PrivateUser', 2)),
      ];
    });
    assert.deepEqual(read, [
      ['first', 'second', 'device', 'early', 'late'],
      ['second', 'device'],
      ['early', 'late'],
      [],
      ['device'],
      ['first', 'second'],
    ]);
  });

  test('users: inNoOtherList omits users that another account of the AWS account has, and users after the limit', async () => {
    const [here, there] = [fresh(), fresh()];
    const read = await within(async (tx) => {
      const repository = tx.of(users);
      // All accounts of the suite have one AWS account, so the IDs must be unique.
      await repository.add([...['a', 'b', 'c'].map((id) => user(here, `${here}-${id}`)), user(there, `${here}-a`)]);
      return [(await repository.inNoOtherList(here, 9)).toSorted(), await repository.inNoOtherList(here, 2)];
    });
    assert.deepEqual(read, [[`${here}-b`, `${here}-c`], [`${here}-b`]]);
  });

  test('users: put replaces a user and moves it in the list; removeSome deletes users of one account', async () => {
    const [here, there] = [fresh(), fresh()];
    const { invitedAt, ...rest } = registered(here, 'a', 1, { licenseType: 'Basic', personalPin: here.slice(-10) });
    const read = await within(async (tx) => {
      const repository = tx.of(users);
      await repository.add([user(here, 'a'), user(here, 'b'), user(here, 'c'), user(there, 'd')]);
      return [
        await repository.put(omitUndefined({ ...rest, invitationStatus: undefined }) as UserRecord),
        await repository.put({ ...rest, userId: 'unknown' }),
        ids(await repository.list(here, undefined, 1)),
        await repository.get(here, 'a'),
        await repository.removeSome(here, 2),
        await repository.removeSome(here, 2),
        await repository.removeSome(here, 2),
        ids(await repository.list(there, undefined, 9)),
      ];
    });
    const { invitationStatus, ...expected } = rest;
    assert.deepEqual(read, ['changed', 'absent', ['a'], stored(expected), 2, 1, 0, ['d']]);
    assert.equal(invitedAt, NOON);
  });
}
