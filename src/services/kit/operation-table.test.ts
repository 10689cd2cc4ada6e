import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadModel } from '#model/load.ts';
import { isNotYet } from './not-yet.ts';
import type { Call, Operation } from './operation.ts';
import { operationTable } from './operation-table.ts';

const createChannel = {
  access: () => ({ resources: ['a'] }) as const,
  handle: async () => ({}),
};

test('operationTable: has exactly the operations of the model', () => {
  const table = operationTable('chime-sdk-messaging', { CreateChannel: createChannel });
  assert.deepEqual(Object.keys(table), Object.keys(loadModel('chime-sdk-messaging').operations));
});

test('operationTable: declared operations are implemented; undeclared operations are `notYet`', () => {
  const table = operationTable('chime-sdk-messaging', { CreateChannel: createChannel });
  assert.equal(table.CreateChannel.handle, createChannel.handle);
  assert.equal(isNotYet(table.CreateChannel), false);
  assert.equal(isNotYet(table.DeleteChannel), true);
});

const NO_CALLER = undefined as never;

test("operationTable: `access` without an action requires the operation's own action", () => {
  const input = undefined as never;
  const own = operationTable('chime-sdk-messaging', { CreateChannel: createChannel }).CreateChannel.access(input, NO_CALLER);
  assert.deepEqual(own, { action: 'chime:CreateChannel', resources: ['a'] });
  const further = [{ resources: ['a'] }, { action: 'chime:TagResource', resources: ['b'] }] as const;
  const both = operationTable('chime-sdk-messaging', { CreateChannel: { ...createChannel, access: () => further } });
  assert.deepEqual(both.CreateChannel.access(input, NO_CALLER), [{ action: 'chime:CreateChannel', resources: ['a'] }, further[1]]);
});

test('operationTable: an operation without `access` requires its own action on *', () => {
  const { handle } = createChannel;
  const { GetFindingV2 } = operationTable('accessanalyzer', { GetFindingV2: { handle } as never });
  assert.deepEqual(GetFindingV2.access(undefined as never, NO_CALLER), { action: 'access-analyzer:GetFinding', resources: ['*'] });
});

test('operationTable: a table does not inherit `constructor` from Object.prototype', () => {
  const table: object = operationTable('sts', {});
  assert.equal('constructor' in table, false);
});

test('operationTable: a declared operation that is not in the model is a type error, and throws', () => {
  const composed = { CreateChannel: createChannel, ...{ CreateChannels: createChannel } };
  // @ts-expect-error CreateChannels is not in the model.
  assert.throws(() => operationTable('chime-sdk-messaging', composed), /unknown operations of chime-sdk-messaging: CreateChannels$/);
});

test('CHM-7: the table of the service chime has the operations of the model and those that AWS removed', () => {
  const { operations, removed } = loadModel('chime');
  assert.deepEqual(Object.keys(operationTable('chime', {})), [...Object.keys(operations), ...Object.keys(removed)]);
});

test('CHM-7: an operation that AWS removed requires its action on *; its error names other endpoints', async () => {
  const { ListMeetings } = operationTable('chime', {}) as Readonly<Record<string, Operation<unknown, unknown>>>;
  assert.ok(ListMeetings);
  assert.deepEqual(ListMeetings.access({}, undefined as never), { action: 'chime:ListMeetings', resources: ['*'] });
  await assert.rejects(ListMeetings.handle({ accountId: '111122223333' } as Call, {}), {
    code: 'ForbiddenException',
    message:
      'Account Id 111122223333 is not authorized to call deprecated Amazon Chime SDK API on the "chime" endpoint, use one of the "*-chime*" endpoints instead.',
  });
});

test('notYet: an unimplemented operation requires its own action on *, and its error names the operation', async () => {
  const { GetFindingV2 } = operationTable('accessanalyzer', {});
  const input = { analyzerArn: 'a', id: 'i' };
  assert.deepEqual(GetFindingV2.access(input, undefined as never), { action: 'access-analyzer:GetFinding', resources: ['*'] });
  await assert.rejects(GetFindingV2.handle(undefined as never, input), {
    code: 'NotYetImplementedException',
    message: 'GetFindingV2 is not implemented yet by Belfry.',
  });
});
