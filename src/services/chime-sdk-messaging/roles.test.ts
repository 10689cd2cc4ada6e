import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { loadModel } from '#model/load.ts';
import { BOT, openFixture, userArn } from './fixture.ts';
import { type BearerOperation, type Facts, permitted, RIGHTS, type Right, ROLES, type Role } from './roles.ts';

const NOTHING: Facts = { public: false, open: false, elastic: false, self: false, own: false, member: false };

// Source: Chime SDK Developer Guide, "Understanding authorization by role": these operations are not allowed for
// elastic channels.
const NOT_ELASTIC: readonly BearerOperation[] = ['UpdateChannelReadMarker', 'DescribeChannelModeratedByAppInstanceUser'];

/**
 * Facts that fulfill each condition. Each fact in a list fulfills the condition alone. `undefined`: the condition needs
 * no fact. An empty list: no single fact fulfills the condition, because it needs several facts together.
 */
// biome-ignore format: a table
const HOLDS_BY: Readonly<Record<Exclude<Right, 'no'>, readonly (keyof Facts)[] | undefined>> = {
  yes:        undefined,
  public:     ['public'],
  open:       ['open'],
  self:       ['self'],
  selfOrOpen: ['self', 'open'],
  join:       [],
  own:        ['own'],
  asMember:   ['member'],
};

test('CHM-6: RIGHTS has a row for exactly the operations with a bearer', () => {
  const { operations, shapes } = loadModel('chime-sdk-messaging');
  const bearing = Object.values(operations).filter(({ input }) => shapes[input ?? '']?.members?.['ChimeBearer'] !== undefined);
  assert.deepEqual(Object.keys(RIGHTS).sort(), bearing.map(({ name }) => name).sort());
});

for (const [operation, rights] of Object.entries(RIGHTS) as [BearerOperation, (typeof RIGHTS)[BearerOperation]][]) {
  test(`CHM-6: ${operation}: a bearer with one role is allowed exactly if the condition of that role holds`, () => {
    for (const [i, role] of ROLES.entries()) {
      const right = rights[i] as Right;
      const alone = new Set<Role>([role]);
      const by = right === 'no' ? [] : HOLDS_BY[right];
      assert.equal(permitted(operation, alone, NOTHING), right !== 'no' && by === undefined, role);
      for (const fact of Object.keys(NOTHING) as (keyof Facts)[]) {
        const allowed = right !== 'no' && (by === undefined || by.includes(fact));
        const expected = allowed && !(fact === 'elastic' && NOT_ELASTIC.includes(operation));
        assert.equal(permitted(operation, alone, { ...NOTHING, [fact]: true }), expected, `${role}, ${fact}`);
      }
    }
    const everything = { public: true, open: true, elastic: false, self: true, own: true, member: true };
    assert.equal(permitted(operation, new Set(), everything), false, 'no role');
  });
}

test('CHM-6: a non-member may add only itself, and only to a channel that is PUBLIC and UNRESTRICTED', () => {
  const join = { ...NOTHING, self: true, public: true, open: true };
  const allowed = (facts: Facts) => permitted('CreateChannelMembership', new Set<Role>(['NonMember']), facts);
  assert.equal(allowed(join), true);
  for (const missing of ['self', 'public', 'open'] as const) assert.equal(allowed({ ...join, [missing]: false }), false, missing);
});

// biome-ignore format: a table
const JOINS: readonly (readonly [title: string, channel: object, bearer: string, member: string, more: object, outcome: string])[] = [
  // case                                        channel                                        bearer            member            more                outcome
  ['a user joins a public unrestricted channel', { Privacy: 'PUBLIC', Mode: 'UNRESTRICTED' },   userArn('bert'),  userArn('bert'),  {},                 'added'],
  ['a user adds another user',                   { Privacy: 'PUBLIC', Mode: 'UNRESTRICTED' },   userArn('bert'),  userArn('carl'),  {},                 'ForbiddenException'],
  ['a user joins as a hidden member',            { Privacy: 'PUBLIC', Mode: 'UNRESTRICTED' },   userArn('bert'),  userArn('bert'),  { Type: 'HIDDEN' }, 'ForbiddenException'],
  ['a bot joins',                                { Privacy: 'PUBLIC', Mode: 'UNRESTRICTED' },   BOT,              BOT,              {},                 'ForbiddenException'],
  ['a user joins a restricted channel',          { Privacy: 'PUBLIC', Mode: 'RESTRICTED' },     userArn('bert'),  userArn('bert'),  {},                 'ForbiddenException'],
  ['a user joins a private channel',             { Privacy: 'PRIVATE', Mode: 'UNRESTRICTED' },  userArn('bert'),  userArn('bert'),  {},                 'ForbiddenException'],
];

for (const [title, more, ChimeBearer, MemberArn, input, outcome] of JOINS) {
  test(`CreateChannelMembership: ${title}: ${outcome}`, async () => {
    const { run, channel } = await openFixture();
    const ChannelArn = await channel([], more);
    const added = run('CreateChannelMembership', { ChannelArn, ChimeBearer, MemberArn, Type: 'DEFAULT', ...input });
    assert.equal(
      await added.then(
        ({ Member }) => (Member?.Arn === MemberArn ? 'added' : Member),
        ({ code }) => code,
      ),
      outcome,
    );
  });
}

test('CreateChannelMembership: a banned user cannot join', async () => {
  const { run, channel } = await openFixture();
  const ChannelArn = await channel([], { Privacy: 'PUBLIC', Mode: 'UNRESTRICTED' });
  await run('CreateChannelBan', { ChannelArn, ChimeBearer: userArn('ada'), MemberArn: userArn('bert') });
  const join = { ChannelArn, ChimeBearer: userArn('bert'), MemberArn: userArn('bert'), Type: 'DEFAULT' } as const;
  await assert.rejects(run('CreateChannelMembership', join), { code: 'ForbiddenException' });
});

describe('Bearers', () => {
  const describe = (ChannelArn: string, ChimeBearer: string) => ({ ChannelArn, ChimeBearer });

  test('Bearers: the errors are in this order: unknown bearer, unknown channel, no right', async () => {
    const { run, channel } = await openFixture();
    const ChannelArn = await channel();
    const unknown = ChannelArn.replace(/.{12}$/, 'ffffffffffff');
    for (const [input, code] of [
      [describe(unknown, userArn('unknown')), 'UnauthorizedClientException'],
      [describe(unknown, userArn('carl')), 'ForbiddenException'],
      [describe(ChannelArn, userArn('carl')), 'ForbiddenException'],
    ] as const) {
      await assert.rejects(run('DescribeChannel', input), { code });
    }
    await assert.rejects(run('ListChannelBans', { ChannelArn, ChimeBearer: userArn('carl') }), { code: 'ForbiddenException' });
    await assert.rejects(
      run('CreateChannelMembership', { ChannelArn: unknown, ChimeBearer: userArn('ada'), MemberArn: userArn('bert'), Type: 'DEFAULT' }),
      { code: 'NotFoundException' },
    );
  });

  test('Bearers: a banned user has no role and no membership, even in a public channel', async () => {
    const { run, channel } = await openFixture();
    const ChannelArn = await channel([userArn('bert')], { Privacy: 'PUBLIC' });
    await run('CreateChannelBan', { ChannelArn, ChimeBearer: userArn('ada'), MemberArn: userArn('bert') });
    await assert.rejects(run('DescribeChannel', describe(ChannelArn, userArn('bert'))), { code: 'ForbiddenException' });
    assert.ok(await run('DescribeChannel', describe(ChannelArn, userArn('carl'))));
    const { ChannelMemberships } = await run('ListChannelMemberships', { ChannelArn, ChimeBearer: userArn('ada') });
    assert.deepEqual(
      ChannelMemberships?.map(({ Member }) => Member?.Arn),
      [userArn('ada')],
    );
  });

  test('Bearers: a user of another app instance, account or region is unknown', async () => {
    const { run, channel } = await openFixture();
    const ChannelArn = await channel();
    for (const [from, to] of [
      ['us-east-1', 'eu-central-1'],
      ['111122223333', '444455556666'],
      ['b7c2f0a1', 'b7c2f0a2'],
    ] as const) {
      const ChimeBearer = userArn('ada').replace(from, to);
      await assert.rejects(run('DescribeChannel', { ChannelArn, ChimeBearer }), { code: 'UnauthorizedClientException' });
    }
  });
});
