import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { loadModel } from '#model/load.ts';
import { openFixture, userArn } from './fixture.ts';
import { type BearerOperation, type Facts, permitted, RIGHTS, type Right, ROLES, type Role } from './roles.ts';

const NOTHING: Facts = { public: false, open: false, self: false, own: false, member: false };

/** Which fact alone makes each right hold; `undefined`: none is needed. */
// biome-ignore format: a table
const HOLDS_BY: Readonly<Record<Exclude<Right, 'no'>, readonly (keyof Facts)[] | undefined>> = {
  yes:        undefined,
  public:     ['public'],
  open:       ['open'],
  self:       ['self'],
  selfOrOpen: ['self', 'open'],
  own:        ['own'],
  asMember:   ['member'],
};

test('CHM-6: every operation that takes a bearer has its row, and no other has one', () => {
  const { operations, shapes } = loadModel('chime-sdk-messaging');
  const bearing = Object.values(operations).filter(({ input }) => shapes[input ?? '']?.members?.['ChimeBearer'] !== undefined);
  // Flows take no bearer but where they are put on a channel.
  assert.deepEqual(Object.keys(RIGHTS).sort(), bearing.map(({ name }) => name).sort());
});

for (const [operation, rights] of Object.entries(RIGHTS) as [BearerOperation, (typeof RIGHTS)[BearerOperation]][]) {
  test(`CHM-6: ${operation}: each role alone permits it under its own circumstance, and under no other`, () => {
    for (const [i, role] of ROLES.entries()) {
      const right = rights[i] as Right;
      const alone = new Set<Role>([role]);
      const by = right === 'no' ? [] : HOLDS_BY[right];
      assert.equal(permitted(operation, alone, NOTHING), right !== 'no' && by === undefined, role);
      for (const fact of Object.keys(NOTHING) as (keyof Facts)[]) {
        const expected = right !== 'no' && (by === undefined || by.includes(fact));
        assert.equal(permitted(operation, alone, { ...NOTHING, [fact]: true }), expected, `${role}, ${fact}`);
      }
    }
    assert.equal(permitted(operation, new Set(), { public: true, open: true, self: true, own: true, member: true }), false, 'nobody');
  });
}

describe('A bearer', () => {
  const describe = (ChannelArn: string, ChimeBearer: string) => ({ ChannelArn, ChimeBearer });

  test('A bearer: the errors of an operation come in this order: no bearer, no channel, no right', async () => {
    const { run, channel } = await openFixture();
    const ChannelArn = await channel();
    const unknown = ChannelArn.replace(/.{12}$/, 'ffffffffffff');
    for (const [input, code] of [
      [describe(unknown, userArn('nobody')), 'UnauthorizedClientException'],
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

  test('A bearer: who is banned has no role, in a public channel either, and what he had is gone', async () => {
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

  test('A bearer: of another app instance, account or region nobody is known', async () => {
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
