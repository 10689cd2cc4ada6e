import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AwsError } from '#core/aws-error.ts';
import type { ChimeApi } from '#model/generated/chime.ts';
import { loadModel } from '#model/load.ts';
import type { Store } from '#store/store.ts';
import { pageOf } from '../chime-kit/page.ts';
import { ACCOUNT, accessOf, openOperations, START } from './fixture.ts';
import { isNotYet } from './not-yet.ts';
import { operationTable } from './operation-table.ts';
import { resource } from './resource.ts';
import type { Conventions, Kind } from './resource-kind.ts';
import { member } from './resource-member.ts';
import { TAG_RULES } from './tag-rules.ts';

// The tests declare accounts, rooms and bots of Amazon Chime. None of these resources has an ARN. Each room and each
// bot has an account as its parent. CreateRoom has a client request token. The member EventsConfiguration of a bot has
// operations of its own.
const CONVENTIONS: Conventions = {
  service: 'chime',
  tagRules: TAG_RULES.chime,
  notFound: (title, id) => new AwsError('NotFoundException', `${title} ${id} not found`),
  limitExceeded: (title, most) => new AwsError('ResourceLimitExceededException', `${most} ${title}`),
  page: pageOf,
};

interface Named {
  readonly Name: string;
}
interface Bot {
  readonly DisplayName: string;
  readonly Disabled: boolean;
  readonly EventsConfiguration?: { readonly LambdaFunctionArn?: string };
}

const ACCOUNTS: Kind<Named, ChimeApi> = { name: 'account', title: 'Account', identifiers: ['AccountId'], conventions: CONVENTIONS };
const ROOMS: Kind<Named, ChimeApi> = {
  name: 'room',
  title: 'Room',
  identifiers: ['AccountId', 'RoomId'],
  parent: ACCOUNTS,
  conventions: CONVENTIONS,
};
const BOTS: Kind<Bot, ChimeApi> = {
  name: 'bot',
  title: 'Bot',
  identifiers: ['AccountId', 'BotId'],
  parent: ACCOUNTS,
  conventions: CONVENTIONS,
};

const OPERATIONS = operationTable('chime', {
  ...resource(ROOMS, {
    limit: { most: 2, per: 'parent', title: 'rooms' },
    computed: { CreatedBy: ({ id }) => `creator of ${id}` },
    create: {
      operation: 'CreateRoom',
      guard: [
        (_, { document }) => {
          if (document.Name === '') throw new AwsError('BadRequestException', 'A name is required.');
        },
      ],
    },
    read: { operation: 'GetRoom' },
    update: { operation: 'UpdateRoom' },
    delete: { operation: 'DeleteRoom' },
    list: {
      operation: 'ListRooms',
      filter: ({ MemberId }) =>
        MemberId === undefined ? undefined : { name: MemberId, matches: ({ document }) => document.Name === MemberId },
    },
  }),
  ...resource(BOTS, {
    create: { operation: 'CreateBot', defaults: { Disabled: false } },
    read: { operation: 'GetBot' },
    update: { operation: 'UpdateBot' },
  }),
  ...member(BOTS, 'EventsConfiguration', {
    read: { operation: 'GetEventsConfiguration' },
    put: { operation: 'PutEventsConfiguration', value: ({ LambdaFunctionArn = '' }) => ({ LambdaFunctionArn }) },
    delete: { operation: 'DeleteEventsConfiguration' },
  }),
});

const AccountId = 'a';
const ROOM = { Name: 'general', AccountId, CreatedTimestamp: START, UpdatedTimestamp: START };

async function open() {
  const opened = await openOperations<ChimeApi>(OPERATIONS);
  await addAccount(opened.store, AccountId);
  const room = async (Name: string) => (await opened.run('CreateRoom', { AccountId, Name })).Room?.RoomId as string;
  return { ...opened, room };
}

async function addAccount(store: Store, id: string): Promise<void> {
  const key = { accountId: ACCOUNT, region: 'us-east-1', parent: '', id };
  await store.transaction((tx) =>
    tx.resources.add(ACCOUNTS, { ...key, createdAt: START, updatedAt: START, tags: [], document: { Name: 'x' } }),
  );
}

test('resource: an output has the document, the identifiers, the times and computed members', async () => {
  const { run } = await open();
  const { Room } = await run('CreateRoom', { AccountId, Name: 'general' });
  const RoomId = Room?.RoomId as string;
  assert.deepEqual(Room, { ...ROOM, RoomId, CreatedBy: `creator of ${RoomId}` });
  assert.deepEqual(await run('GetRoom', { AccountId, RoomId }), { Room });
});

test('resource: an update does not change omitted members, and changes the update time', async () => {
  const { run, room } = await open();
  const RoomId = await room('general');
  const later = { now: START + 1 } as { now: typeof START };
  const { Room } = await run('UpdateRoom', { AccountId, RoomId }, later);
  assert.deepEqual([Room?.Name, Room?.UpdatedTimestamp], ['general', START + 1]);
});

test('resource: a list is paged, and a page of a filtered list contains only matching resources', async () => {
  const { run, room } = await open();
  const ids = [await room('one'), await room('two')].sort();
  const first = await run('ListRooms', { AccountId, MaxResults: 1 });
  const second = await run('ListRooms', { AccountId, MaxResults: 1, NextToken: first.NextToken as string });
  assert.deepEqual(
    [first, second].map(({ Rooms }) => Rooms?.map(({ RoomId }) => RoomId)),
    ids.map((id) => [id]),
  );
  assert.equal(second.NextToken, undefined);
  const filtered = await run('ListRooms', { AccountId, MaxResults: 1, MemberId: 'two' });
  assert.deepEqual([filtered.Rooms?.map(({ Name }) => Name), filtered.NextToken], [['two'], undefined]);
});

test('resource: a client request token creates one resource, and another one if the first was deleted', async () => {
  const { run } = await open();
  const create = () => run('CreateRoom', { AccountId, Name: 'general', ClientRequestToken: 't' });
  const first = await create();
  assert.deepEqual(await create(), first);
  await assert.rejects(run('CreateRoom', { AccountId, Name: 'other', ClientRequestToken: 't' }), { code: 'ConflictException' });
  await run('DeleteRoom', { AccountId, RoomId: first.Room?.RoomId as string });
  assert.notDeepEqual(await create(), first);
});

// The rows are in the order of the operation's checks. Each input also has the faults of the rows below it.
// biome-ignore format: a table
const REFUSED: readonly [title: string, input: ChimeApi['CreateRoom']['input'], code: string][] = [
  ['an unknown parent',     { AccountId: 'unknown', Name: '' }, 'NotFoundException'             ],
  ['a guard that throws',   { AccountId, Name: '' },            'BadRequestException'           ],
  ['a parent at its limit', { AccountId, Name: 'third' },       'ResourceLimitExceededException'],
];

for (const [title, input, code] of REFUSED) {
  test(`resource: create with ${title} is ${code}`, async () => {
    const { run, room } = await open();
    await room('one');
    await room('two');
    await assert.rejects(run('CreateRoom', input), { code });
  });
}

test('resource: a request for a resource with the wrong parent is NotFoundException', async () => {
  const { run, room, store } = await open();
  const RoomId = await room('general');
  await addAccount(store, 'b');
  for (const operation of ['GetRoom', 'UpdateRoom', 'DeleteRoom'] as const) {
    await assert.rejects(run(operation, { AccountId: 'b', RoomId }), { code: 'NotFoundException', message: `Room ${RoomId} not found` });
  }
});

test('resource: an operation on a kind without an ARN requires the action of the same name on *', () => {
  const { operations } = loadModel('chime');
  const declared = Object.entries(OPERATIONS).filter(([name, operation]) => name in operations && !isNotYet(operation));
  assert.equal(declared.length, 11);
  for (const [name] of declared) {
    const required = accessOf(OPERATIONS, name, { AccountId, RoomId: 'r', BotId: 'b' });
    assert.deepEqual(
      required.map(({ action, resources }) => [action, ...resources]),
      [[`chime:${name}`, '*']],
    );
  }
});

test('member: reading an absent member is NotFoundException, and deleting a member changes nothing else', async () => {
  const { run } = await open();
  const { Bot: bot } = await run('CreateBot', { AccountId, DisplayName: 'b' });
  const input = { AccountId, BotId: bot?.BotId as string };
  const refused = { code: 'NotFoundException', message: `Bot '${input.BotId}' does not have EventsConfiguration.` };
  await assert.rejects(run('GetEventsConfiguration', input), refused);
  const put = await run('PutEventsConfiguration', { ...input, LambdaFunctionArn: 'f' });
  assert.deepEqual(await run('GetEventsConfiguration', input), put);
  await run('DeleteEventsConfiguration', input);
  await assert.rejects(run('GetEventsConfiguration', input), refused);
  assert.deepEqual(await run('GetBot', input), { Bot: bot });
});
