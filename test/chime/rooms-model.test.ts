/** Rooms and memberships against a simple model in memory: generated calls on both engines. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { instant } from '#core/instant.ts';
import { openFixture, START } from '#services/chime/fixture.ts';
import { openPostgres } from '#store/engine/postgres.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import type { Store } from '#store/store.ts';
import { testPostgres } from '../store/test-postgres.ts';

const postgres = await testPostgres();
after(() => postgres.stop());

interface ModelRoom {
  readonly id: string;
  name: string;
  deleted: boolean;
  readonly members: Map<string, string>;
}

const NAMES = ['ada', 'bob', 'eve'];
const Role = fc.constantFrom('Member' as const, 'Administrator' as const);
const Which = fc.nat({ max: 2 });
const Step = fc.oneof(
  fc.record({ kind: fc.constant('create' as const), name: fc.constantFrom('one', 'two'), token: fc.constantFrom('ta', 'tb', undefined) }),
  fc.record({ kind: fc.constant('rename' as const), which: Which, name: fc.constantFrom('new', ' ') }),
  fc.record({ kind: fc.constant('delete' as const), which: Which }),
  fc.record({ kind: fc.constant('add' as const), which: Which, who: fc.nat({ max: 3 }), role: Role }),
  fc.record({ kind: fc.constant('batch' as const), which: Which, who: fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 4 }) }),
  fc.record({ kind: fc.constant('role' as const), which: Which, who: fc.nat({ max: 3 }), role: Role }),
  fc.record({ kind: fc.constant('remove' as const), which: Which, who: fc.nat({ max: 3 }) }),
);
type Step = typeof Step extends fc.Arbitrary<infer Value> ? Value : never;

/** Returns the code of an error, or `ok`. */
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'ok',
    (error: { readonly code: string }) => error.code,
  );

/** Runs steps on a store and on the model, and compares each outcome, and the lists at the end. */
async function agree(store: Store, steps: readonly Step[]): Promise<void> {
  const { run, account, people, become } = await openFixture(store);
  const AccountId = await account();
  const ids = [...(await people(AccountId, ...NAMES)), 'unknown'];
  await become(AccountId, 'EnterpriseLWA');
  const model: ModelRoom[] = [];
  const tokens = new Map<string, { readonly name: string; readonly room: ModelRoom }>();
  let time = START as number;

  async function step(each: Step): Promise<void> {
    const as = { now: instant(++time) };
    if (each.kind === 'create') {
      const { name, token } = each;
      const known = token === undefined ? undefined : tokens.get(token);
      const used = known?.room.deleted === false ? known : undefined;
      const request = { AccountId, Name: name, ...(token !== undefined && { ClientRequestToken: token }) };
      if (used !== undefined && used.name !== name)
        return void assert.equal(await codeOf(run('CreateRoom', request, as)), 'BadRequestException');
      const id = (await run('CreateRoom', request, as)).Room?.RoomId as string;
      if (used !== undefined) return void assert.equal(id, used.room.id);
      const room: ModelRoom = { id, name, deleted: false, members: new Map() };
      model.push(room);
      if (token !== undefined) tokens.set(token, { name, room });
      return;
    }
    const room = model[each.which];
    if (room === undefined) return;
    const key = { AccountId, RoomId: room.id };
    const found = (outcome: string) => (room.deleted ? 'NotFoundException' : outcome);
    const memberOutcome = (id: string) => (id === 'unknown' ? 'NotFound' : room.members.has(id) ? 'Conflict' : undefined);
    switch (each.kind) {
      case 'rename': {
        const code = await codeOf(run('UpdateRoom', { ...key, Name: each.name }, as));
        assert.equal(code, each.name === ' ' ? 'BadRequestException' : found('ok'));
        if (code === 'ok') room.name = each.name;
        return;
      }
      case 'delete':
        assert.equal(await codeOf(run('DeleteRoom', key, as)), found('ok'));
        room.deleted = true;
        return;
      case 'add': {
        const MemberId = ids[each.who] as string;
        const problem = memberOutcome(MemberId);
        const code = await codeOf(run('CreateRoomMembership', { ...key, MemberId, Role: each.role }, as));
        assert.equal(code, found(problem === undefined ? 'ok' : `${problem}Exception`));
        if (code === 'ok') room.members.set(MemberId, each.role);
        return;
      }
      case 'batch': {
        const list = each.who.map((who) => ids[who] as string);
        const call = run('BatchCreateRoomMembership', { ...key, MembershipItemList: list.map((MemberId) => ({ MemberId })) }, as);
        if (room.deleted) return void (await assert.rejects(call, { code: 'NotFoundException' }));
        const expected = list.flatMap((id) => {
          const problem = memberOutcome(id);
          if (problem === undefined) room.members.set(id, 'Member');
          return problem === undefined ? [] : [`${id} ${problem}`];
        });
        const { Errors = [] } = await call;
        assert.deepEqual(
          Errors.map(({ MemberId, ErrorCode }) => `${MemberId} ${ErrorCode}`),
          expected,
        );
        return;
      }
      case 'role':
      case 'remove': {
        const MemberId = ids[each.who] as string;
        const call =
          each.kind === 'role'
            ? run('UpdateRoomMembership', { ...key, MemberId, Role: each.role }, as)
            : run('DeleteRoomMembership', { ...key, MemberId }, as);
        assert.equal(await codeOf(call), found(room.members.has(MemberId) ? 'ok' : 'NotFoundException'));
        if (room.deleted || !room.members.has(MemberId)) return;
        if (each.kind === 'role') room.members.set(MemberId, each.role);
        else room.members.delete(MemberId);
      }
    }
  }

  for (const each of steps) await step(each);
  const left = model.filter(({ deleted }) => !deleted);
  const listed = async (input: object) =>
    ((await run('ListRooms', { AccountId, MaxResults: 99, ...input })).Rooms ?? []).map((r) => r.Name);
  const namesOf = (some: readonly ModelRoom[]) => some.map(({ name }) => name);
  assert.deepEqual(await listed({}), namesOf(left));
  for (const MemberId of ids) assert.deepEqual(await listed({ MemberId }), namesOf(left.filter(({ members }) => members.has(MemberId))));
  for (const { id, members } of left) {
    const { RoomMemberships = [] } = await run('ListRoomMemberships', { AccountId, RoomId: id });
    assert.deepEqual(
      RoomMemberships.map(({ Member, Role: role }) => [Member?.MemberId, role]),
      [...members].toSorted(([a], [b]) => (a < b ? -1 : 1)),
    );
  }
}

const ENGINES: readonly (readonly [engine: string, runs: number, open: () => Promise<Store>])[] = [
  ['SQLite', 60, () => openSqlite(':memory:')],
  ['PostgreSQL', 8, () => openPostgres(postgres.url)],
];

for (const [engine, numRuns, open] of ENGINES) {
  test(`Rooms on ${engine}: generated calls have the outcomes of the model`, async () => {
    const store = await open();
    after(() => store.close());
    await fc.assert(
      fc.asyncProperty(fc.array(Step, { minLength: 5, maxLength: 25 }), async (steps) => {
        await store.transaction(async ({ sql }) => {
          for (const name of ['chime_user', 'chime_account', 'chime_room', 'room_membership', 'idempotency'])
            await sql.run(`DELETE FROM ${name}`);
        });
        await agree(store, [{ kind: 'create', name: 'one', token: undefined }, { kind: 'create', name: 'two', token: 'ta' }, ...steps]);
      }),
      { numRuns },
    );
  });
}
