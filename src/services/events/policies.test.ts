import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PutPermissionRequest } from '#model/generated/events.ts';
import { OTHER_ACCOUNT } from '../kit/fixture.ts';
import { busArnOf, openEvents } from './fixture.ts';

const BUS = busArnOf('orders');
const STATEMENT = { EventBusName: 'orders', Action: 'events:PutEvents', Principal: OTHER_ACCOUNT, StatementId: 's' };
const ALLOW = {
  Sid: 's',
  Effect: 'Allow',
  Principal: { AWS: `arn:aws:iam::${OTHER_ACCOUNT}:root` },
  Action: 'events:PutEvents',
  Resource: BUS,
};

async function openBus() {
  const opened = await openEvents();
  await opened.run('CreateEventBus', { Name: 'orders' });
  const policy = async () => {
    const { Policy } = await opened.run('DescribeEventBus', { Name: 'orders' });
    return Policy === undefined ? undefined : JSON.parse(Policy);
  };
  return { ...opened, policy };
}

test('PutPermission: a statement is added, replaced and removed, and an empty policy is absent', async () => {
  const { run, policy } = await openBus();
  await run('PutPermission', STATEMENT);
  assert.deepEqual(await policy(), { Version: '2012-10-17', Statement: [ALLOW] });
  const Condition = { Type: 'StringEquals', Key: 'aws:PrincipalOrgID', Value: 'o-a' };
  await run('PutPermission', { ...STATEMENT, StatementId: 'all', Principal: '*', Condition });
  await run('PutPermission', { ...STATEMENT, Principal: '*' });
  const all = { ...ALLOW, Sid: 'all', Principal: '*', Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-a' } } };
  assert.deepEqual((await policy()).Statement, [all, { ...ALLOW, Principal: '*' }]);
  await run('RemovePermission', { EventBusName: 'orders', StatementId: 'all' });
  await run('RemovePermission', { EventBusName: 'orders', StatementId: 's' });
  assert.equal(await policy(), undefined);
});

test('PutPermission: a policy replaces everything, and RemoveAllPermissions removes it', async () => {
  const { run, policy } = await openBus();
  await run('PutPermission', STATEMENT);
  const Policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: { ...ALLOW, Sid: 'p', Action: ['events:PutEvents', 'events:PutRule'] },
  });
  await run('PutPermission', { EventBusName: 'orders', Policy });
  assert.deepEqual(await policy(), JSON.parse(Policy));
  await run('PutPermission', STATEMENT);
  assert.deepEqual(
    (await policy()).Statement.map(({ Sid }: { Sid: string }) => Sid),
    ['p', 's'],
  );
  await run('RemovePermission', { EventBusName: 'orders', RemoveAllPermissions: true });
  assert.equal(await policy(), undefined);
});

const ofPolicy = (...Statement: readonly object[]) => ({
  EventBusName: 'orders',
  Policy: JSON.stringify({ Version: '2012-10-17', Statement }),
});
const invalid = (reason: string) => `Parameter Policy is not valid. Reason: ${reason}`;
const without = (name: keyof typeof STATEMENT): PutPermissionRequest => ({ ...STATEMENT, [name]: undefined }) as never;

// biome-ignore format: a table
const REFUSED: readonly [title: string, input: PutPermissionRequest, code: string, message: string][] = [
  ['an unknown bus',             { ...STATEMENT, EventBusName: 'none' },                       'ResourceNotFoundException', 'Event bus none does not exist.'],
  ['no action',                  without('Action'),                                           'ValidationError', 'Parameter Action must be specified.'],
  ['no principal',               without('Principal'),                                        'ValidationError', 'Parameter Principal must be specified.'],
  ['no statement ID',            without('StatementId'),                                      'ValidationError', 'Parameter StatementId must be specified.'],
  ['another action',             { ...STATEMENT, Action: 'events:PutRule' },                  'ValidationError', "Provided value in parameter 'action' is not supported."],
  ['a condition for an account', { ...STATEMENT, Condition: { Type: 'StringEquals', Key: 'aws:PrincipalOrgID', Value: 'o-a' } }, 'ValidationError', "Parameter Condition is not valid. Reason: It must be StringEquals of aws:PrincipalOrgID, with the principal '*'."],
  ['a policy and a statement',   { ...STATEMENT, ...ofPolicy(ALLOW) },                        'ValidationError', 'Parameter Policy must not be specified together with StatementId, Principal, Action or Condition.'],
  ['a policy that is not JSON',   { EventBusName: 'orders', Policy: '{' },                     'ValidationError', invalid('It must be a policy document in JSON.')],
  ['an unknown element',         ofPolicy({ ...ALLOW, Extra: 1 }),                            'ValidationError', invalid('It must be a policy document in JSON.')],
  ['no statement',               ofPolicy(),                                                  'ValidationError', invalid('It must have a statement.')],
  ['no effect',                  ofPolicy({ ...ALLOW, Effect: 'Maybe' }),                     'ValidationError', invalid("Effect must be 'Allow' or 'Deny'.")],
  ['no principal in a policy',   ofPolicy({ ...ALLOW, Principal: undefined }),                'ValidationError', invalid('A statement must have a Principal.')],
  ['Allow with NotPrincipal',    ofPolicy({ ...ALLOW, Principal: undefined, NotPrincipal: '*' }), 'ValidationError', invalid('NotPrincipal is valid only with Deny.')],
  ['an action of S3',            ofPolicy({ ...ALLOW, Action: 's3:GetObject' }),              'ValidationError', invalid("Each Action must begin with 'events:'.")],
  ['no resource',                ofPolicy({ ...ALLOW, Resource: undefined }),                 'ValidationError', invalid('A statement must have a Resource.')],
  ['an unknown operator',        ofPolicy({ ...ALLOW, Condition: { Like: { 'aws:a': 'b' } } }), 'ValidationError', invalid('Invalid policy syntax.')],
  ['an unknown user',            ofPolicy({ ...ALLOW, Principal: { AWS: `arn:aws:iam::${OTHER_ACCOUNT}:user/ada` } }), 'ValidationError', invalid(`Invalid principal 'arn:aws:iam::${OTHER_ACCOUNT}:user/ada'.`)],
  ['10,241 characters',          ofPolicy({ ...ALLOW, Sid: 's'.repeat(10_241) }),             'PolicyLengthExceededException', 'The policy exceeds the maximum length of 10240 characters.'],
];
for (const [title, input, code, message] of REFUSED) {
  test(`PutPermission: ${title} is ${code}, and the policy stays`, async () => {
    const { run, policy } = await openBus();
    await run('PutPermission', STATEMENT);
    await assert.rejects(run('PutPermission', input), { code, message });
    assert.deepEqual((await policy()).Statement, [ALLOW]);
  });
}

// biome-ignore format: a table
const REMOVALS: readonly [title: string, bus: string, input: object, code: string, message: string][] = [
  ['an unknown bus',        'none',    { StatementId: 's' },    'ResourceNotFoundException', 'Event bus none does not exist.'],
  ['no statement ID',       'orders',  {},                      'ValidationError',           'Parameter StatementId is required.'],
  ['a bus without policy',  'default', { StatementId: 's' },    'ResourceNotFoundException', 'EventBus does not have a policy.'],
  ['an unknown statement',  'orders',  { StatementId: 'none' }, 'ResourceNotFoundException', 'Statement with the provided id does not exist.'],
];
for (const [title, EventBusName, input, code, message] of REMOVALS) {
  test(`RemovePermission: ${title} is ${code}`, async () => {
    const { run } = await openBus();
    await run('PutPermission', STATEMENT);
    await assert.rejects(run('RemovePermission', { EventBusName, ...input }), { code, message });
  });
}
