// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policy variables look like templates
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { AccountId } from '#core/arn.ts';
import type { ConditionContext } from '#core/condition-context.ts';
import { checkAccessNotGranted, checkNoNewAccess, checkNoPublicAccess } from '#policy/analyse/checks.ts';
import { comparePolicies, newAccess } from '#policy/analyse/compare.ts';
import { policyAllows } from '#policy/analyse/search.ts';
import { compilePolicy, type TrustCaller } from '#policy/engine.ts';
import { StepsExceeded } from '#policy/steps.ts';
import { REFERENCE } from './reference.ts';
import { policy } from './rows.ts';

const compiled = (written: unknown) => compilePolicy(JSON.stringify(written));
const allow = (Action: unknown, Resource: unknown = '*', Condition?: unknown) => ({
  Effect: 'Allow',
  Action,
  Resource,
  ...(Condition === undefined ? {} : { Condition }),
});
const deny = (Action: unknown, Resource: unknown = '*', Condition?: unknown) => ({ ...allow(Action, Resource, Condition), Effect: 'Deny' });
const MEETING = 'arn:aws:chime:us-east-1:111122223333:meeting/';
const MFA = { Bool: { 'aws:MultiFactorAuthPresent': 'true' } };
const from = (range: string) => ({ IpAddress: { 'aws:SourceIp': range } });
const only = (user: string | readonly string[]) => ({ StringEquals: { 'aws:username': user } });
const tags = (operator: string, values: readonly string[]) => ({ [operator]: { 'aws:TagKeys': values } });

// Source: IAM Access Analyzer API, CheckNoNewAccess: "PASS: no new access".
// biome-ignore format: a table
const NEW_ACCESS: readonly (readonly [title: string, existing: unknown, updated: unknown, result: 'PASS' | 'FAIL'])[] = [
  ['nothing changed',                       policy(allow('chime:GetMeeting')),               policy(allow('chime:GetMeeting')),                       'PASS'],
  ['an action is added',                    policy(allow('chime:GetMeeting')),               policy(allow(['chime:GetMeeting', 'chime:DeleteMeeting'])), 'FAIL'],
  ['an action is removed',                  policy(allow(['chime:GetMeeting', 'iam:GetUser'])), policy(allow('chime:GetMeeting')),                    'PASS'],
  ['a wildcard becomes one of its actions', policy(allow('chime:Get*')),                     policy(allow('chime:GetMeeting')),                       'PASS'],
  ['an action becomes a wildcard',          policy(allow('chime:GetMeeting')),               policy(allow('chime:Get*')),                             'FAIL'],
  ['a statement is split in two',           policy(allow(['chime:GetMeeting', 'iam:GetUser'])), policy(allow('iam:GetUser'), allow('chime:GetMeeting')), 'PASS'],
  ['a resource is widened',                 policy(allow('chime:GetMeeting', `${MEETING}a`)), policy(allow('chime:GetMeeting', `${MEETING}*`)),       'FAIL'],
  ['a resource is narrowed',                policy(allow('chime:GetMeeting', `${MEETING}*`)), policy(allow('chime:GetMeeting', `${MEETING}a`)),       'PASS'],
  ['a region becomes a wildcard',           policy(allow('chime:*', `${MEETING}*`)),         policy(allow('chime:*', 'arn:aws:chime:*:111122223333:meeting/*')), 'FAIL'],
  ['a condition is added',                  policy(allow('chime:*')),                        policy(allow('chime:*', '*', MFA)),                      'PASS'],
  ['a condition is removed',                policy(allow('chime:*', '*', MFA)),              policy(allow('chime:*')),                                'FAIL'],
  ['a range of addresses is widened',       policy(allow('chime:*', '*', from('203.0.113.0/24'))), policy(allow('chime:*', '*', from('203.0.112.0/23'))), 'FAIL'],
  ['a value is added',                      policy(allow('chime:*', '*', only('a'))),        policy(allow('chime:*', '*', only(['a', 'b']))),         'FAIL'],
  ['a value is removed',                    policy(allow('chime:*', '*', only(['a', 'b']))), policy(allow('chime:*', '*', only('a'))),                'PASS'],
  ['IfExists is added',                     policy(allow('chime:*', '*', MFA)),              policy(allow('chime:*', '*', { BoolIfExists: { 'aws:MultiFactorAuthPresent': 'true' } })), 'FAIL'],
  ['a denial is removed',                   policy(allow('chime:*'), deny('chime:DeleteMeeting')), policy(allow('chime:*')),                          'FAIL'],
  ['a denial is added',                     policy(allow('chime:*')),                        policy(allow('chime:*'), deny('chime:DeleteMeeting')),   'PASS'],
  ['a denial is narrowed by a condition',   policy(allow('chime:*'), deny('chime:DeleteMeeting')), policy(allow('chime:*'), deny('chime:DeleteMeeting', '*', MFA)), 'FAIL'],
  ['an unrelated denial is removed',        policy(allow('chime:*'), deny('iam:*')),         policy(allow('chime:*')),                                'PASS'],
  ['ForAnyValue becomes ForAllValues',      policy(allow('chime:*', '*', tags('ForAnyValue:StringEquals', ['a']))), policy(allow('chime:*', '*', tags('ForAllValues:StringEquals', ['a']))), 'FAIL'],
  ['NotAction excludes less',               policy({ Effect: 'Allow', NotAction: ['iam:*', 'sts:*'], Resource: '*' }), policy({ Effect: 'Allow', NotAction: 'iam:*', Resource: '*' }), 'FAIL'],
  ['NotAction excludes more',               policy({ Effect: 'Allow', NotAction: 'iam:*', Resource: '*' }), policy({ Effect: 'Allow', NotAction: ['iam:*', 'sts:*'], Resource: '*' }), 'PASS'],
  ['the key is required already',           policy(allow('chime:*', '*', { Null: { 'aws:username': 'false' } })), policy(allow('chime:*', '*', only('a'))),   'PASS'],
  ['a wildcard value becomes a value',      policy(allow('chime:*', '*', { StringLike: { 'aws:username': '*' } })), policy(allow('chime:*', '*', only('a'))), 'PASS'],
  ['a value becomes a wildcard',            policy(allow('chime:*', '*', only('a'))),        policy(allow('chime:*', '*', { StringLike: { 'aws:username': 'a*' } })), 'FAIL'],
  ['a condition becomes a denial of others', policy(allow('chime:*', '*', only('a'))),       policy(allow('chime:*'), deny('*', '*', { StringNotEquals: { 'aws:username': 'a' } })), 'PASS'],
  ['a denial of others becomes a condition', policy(allow('chime:*'), deny('*', '*', { StringNotEquals: { 'aws:username': 'a' } })), policy(allow('chime:*', '*', only('a'))), 'PASS'],
  ['a denial without the key becomes a condition', policy(allow('chime:*'), deny('*', '*', { Null: { 'aws:username': 'true' } })), policy(allow('chime:*', '*', only('a'))), 'PASS'],
  ['a denial of others names one more',     policy(allow('chime:*', '*', only('a'))),        policy(allow('chime:*'), deny('*', '*', { StringNotEquals: { 'aws:username': ['a', 'b'] } })), 'FAIL'],
  ['NotResource excludes another resource', policy({ Effect: 'Allow', Action: 'chime:*', NotResource: `${MEETING}a` }), policy(allow('chime:GetMeeting', `${MEETING}b`)), 'PASS'],
  ['NotResource excludes the resource',     policy({ Effect: 'Allow', Action: 'chime:*', NotResource: `${MEETING}a` }), policy(allow('chime:GetMeeting', `${MEETING}*`)), 'FAIL'],
  ['a variable is widened',                 policy(allow('iam:GetUser', 'arn:aws:iam::*:user/${aws:username}')), policy(allow('iam:GetUser', 'arn:aws:iam::*:user/*')), 'FAIL'],
];

for (const [title, existing, updated, result] of NEW_ACCESS) {
  test(`checkNoNewAccess: returns ${result} if ${title}`, () => {
    assert.equal(checkNoNewAccess(compiled(existing), compiled(updated), 'identity', REFERENCE).result, result);
  });
  test(`newAccess: the result has an example request for each new permission if ${title}`, () => {
    for (const grant of newAccess(compiled(existing), compiled(updated), 'identity', REFERENCE)) assert.equal(grant.known, 'shown');
  });
}

test('checkNoNewAccess: a failed check names the statements by Sid or index', () => {
  const existing = compiled(policy(allow('chime:GetMeeting')));
  const updated = compiled(policy(allow('chime:GetMeeting'), allow('iam:GetUser'), { ...allow('iam:GetRole'), Sid: 'Roles' }));
  assert.deepEqual(checkNoNewAccess(existing, updated, 'identity', REFERENCE), {
    result: 'FAIL',
    message: 'The modified permissions grant new access compared to your existing policy.',
    reasons: [
      { description: 'New access in the statement with index: 1.', statementIndex: 1 },
      { description: 'New access in the statement with sid: Roles.', statementIndex: 2, statementId: 'Roles' },
    ],
  });
});

const trusting = (principal: unknown, condition?: unknown) =>
  policy({ Effect: 'Allow', Principal: principal, Action: 'sts:AssumeRole', ...(condition === undefined ? {} : { Condition: condition }) });

// biome-ignore format: a table
const TRUST: readonly (readonly [title: string, existing: unknown, updated: unknown, result: 'PASS' | 'FAIL'])[] = [
  ['nothing changed',          trusting({ AWS: '111122223333' }),       trusting({ AWS: '111122223333' }),                   'PASS'],
  ['an account is added',      trusting({ AWS: '111122223333' }),       trusting({ AWS: ['111122223333', '444455556666'] }), 'FAIL'],
  ['everyone is added',        trusting({ AWS: '111122223333' }),       trusting({ AWS: '*' }),                              'FAIL'],
  ['a service is added',       trusting({ AWS: '111122223333' }),       trusting({ AWS: '111122223333', Service: 'chime.amazonaws.com' }), 'FAIL'],
  ['an external ID is required', trusting({ AWS: '111122223333' }),       trusting({ AWS: '111122223333' }, { StringEquals: { 'sts:ExternalId': 'x' } }), 'PASS'],
  ['an account becomes its role', trusting({ AWS: '111122223333' }),      trusting({ AWS: 'arn:aws:iam::111122223333:role/r' }), 'PASS'],
  ['a role becomes its account', trusting({ AWS: 'arn:aws:iam::111122223333:role/r' }), trusting({ AWS: 'arn:aws:iam::111122223333:root' }), 'FAIL'],
  ['an account becomes another\'s role', trusting({ AWS: '111122223333' }), trusting({ AWS: 'arn:aws:iam::444455556666:role/r' }), 'FAIL'],
  ['everyone becomes an account', trusting({ AWS: '*' }),                 trusting({ AWS: '111122223333' }),                   'PASS'],
  // On AWS, `*` includes services and identity providers. In Belfry, `*` includes only callers that belong to an
  // account.
  ['everyone becomes a service', trusting({ AWS: '*' }),                  trusting({ Service: 'chime.amazonaws.com' }),        'FAIL'],
  ['* becomes a service',      trusting('*'),                           trusting({ Service: 'chime.amazonaws.com' }),        'FAIL'],
  ['* becomes an identity provider', trusting('*'),                     trusting({ Federated: 'accounts.google.com' }),      'FAIL'],
  ['* becomes an account',     trusting('*'),                           trusting({ AWS: '111122223333' }),                   'PASS'],
  ['MFA is no longer required', trusting({ AWS: '111122223333' }, MFA),  trusting({ AWS: '111122223333' }),                   'FAIL'],
];

for (const [title, existing, updated, result] of TRUST) {
  test(`checkNoNewAccess: returns ${result} for trust policies if ${title}`, () => {
    assert.equal(checkNoNewAccess(compiled(existing), compiled(updated), 'resource', REFERENCE).result, result);
  });
}

// Source: IAM Access Analyzer API, CheckAccessNotGranted.
// biome-ignore format: a table
const NOT_GRANTED: readonly (readonly [title: string, policy: unknown, actions: readonly string[], resources: readonly string[], result: 'PASS' | 'FAIL'])[] = [
  ['an action is not allowed',               policy(allow('chime:GetMeeting')),               ['chime:DeleteMeeting'],             [],             'PASS'],
  ['one of the actions is allowed',          policy(allow('chime:GetMeeting')),               ['chime:DeleteMeeting', 'chime:Get*'], [],           'FAIL'],
  ['a wildcard allows the action',           policy(allow('*')),                              ['iam:PassRole'],                    [],             'FAIL'],
  ['NotAction allows the action',            policy({ Effect: 'Allow', NotAction: 'chime:*', Resource: '*' }), ['iam:PassRole'],   [],             'FAIL'],
  ['NotAction excludes the action',          policy({ Effect: 'Allow', NotAction: 'iam:*', Resource: '*' }), ['iam:PassRole'],     [],             'PASS'],
  ['the action is denied',                   policy(allow('*'), deny('iam:*')),               ['iam:PassRole'],                    [],             'PASS'],
  ['the action is denied with a condition',  policy(allow('*'), deny('iam:*', '*', MFA)),     ['iam:PassRole'],                    [],             'FAIL'],
  ['the action is allowed with a condition', policy(allow('iam:*', '*', MFA)),                ['iam:PassRole'],                    [],             'FAIL'],
  ['the resource differs',                   policy(allow('chime:*', `${MEETING}a`)),         ['chime:GetMeeting'],                [`${MEETING}b`], 'PASS'],
  ['a wildcard matches the resource',        policy(allow('chime:*', `${MEETING}*`)),         ['chime:GetMeeting'],                [`${MEETING}b`], 'FAIL'],
  ['any action on a resource is allowed',    policy(allow('chime:Get*', `${MEETING}*`)),      [],                                  [`${MEETING}b`], 'FAIL'],
  ['no action on a resource is allowed',     policy(allow('iam:*', 'arn:aws:iam::111122223333:role/*')), [],                       [`${MEETING}b`], 'PASS'],
];

for (const [title, written, actions, resources, result] of NOT_GRANTED) {
  test(`checkAccessNotGranted: returns ${result} if ${title}`, () => {
    assert.equal(checkAccessNotGranted(compiled(written), { actions, resources }, 'identity', REFERENCE).result, result);
  });
}

test('checkAccessNotGranted: a failed check has a message and names the statements', () => {
  assert.deepEqual(checkAccessNotGranted(compiled(policy(allow('*'))), { actions: ['iam:PassRole'] }, 'identity', REFERENCE), {
    result: 'FAIL',
    message: 'The policy document grants access to perform one or more of the listed actions.',
    reasons: [{ description: 'One or more of the listed actions in the statement with index: 0.', statementIndex: 0 }],
  });
});

test('checkAccessNotGranted: a trust policy grants its actions to its principals', () => {
  const policyOfRole = compiled(trusting({ AWS: '111122223333' }));
  assert.equal(checkAccessNotGranted(policyOfRole, { actions: ['sts:AssumeRole'] }, 'resource', REFERENCE).result, 'FAIL');
  assert.equal(checkAccessNotGranted(policyOfRole, { actions: ['sts:TagSession'] }, 'resource', REFERENCE).result, 'PASS');
});

// Uses few different values, so that the statements of two policies often overlap.
const action = fc.constantFrom('chime:GetMeeting', 'chime:Get*', 'chime:*', 'iam:GetUser', '*');
const resource = fc.constantFrom(
  '*',
  `${MEETING}a`,
  `${MEETING}*`,
  'arn:aws:chime:*:*:*',
  'arn:aws:iam::111122223333:user/${aws:username}',
);
const condition = fc.constantFrom(
  undefined,
  MFA,
  only('a'),
  only(['a', 'b']),
  { StringNotEquals: { 'aws:username': 'a' } },
  { StringLike: { 'aws:username': 'a*' } },
  { StringNotEquals: { 'aws:username': ['a', 'b'] } },
  { StringNotEqualsIfExists: { 'aws:username': 'a' } },
  { StringEqualsIfExists: { 'aws:username': 'a' } },
  { StringLike: { 'aws:username': '*' } },
  { StringNotLike: { 'aws:username': 'a*' } },
  { StringLikeIfExists: { 'aws:username': ['a?', 'b'] } },
  { Null: { 'aws:username': 'true' } },
  { Null: { 'aws:username': 'false' } },
  { Null: { 'aws:username': ['true', 'false'] } },
  { StringNotEquals: { 'aws:tagkeys': 'a' } },
  { StringEquals: { 'aws:tagkeys': 'a' } },
  { NotIpAddress: { 'aws:SourceIp': '10.0.0.0/8' } },
  from('10.0.0.0/8'),
  tags('ForAllValues:StringEquals', ['a']),
  tags('ForAnyValue:StringEquals', ['a', 'b']),
);
const statement = fc
  .record({
    effect: fc.constantFrom('Allow', 'Allow', 'Deny'),
    action,
    notAction: fc.boolean(),
    resource,
    notResource: fc.boolean(),
    condition,
  })
  .map((parts) => ({
    Effect: parts.effect,
    [parts.notAction ? 'NotAction' : 'Action']: parts.action,
    [parts.notResource ? 'NotResource' : 'Resource']: parts.resource,
    ...(parts.condition === undefined ? {} : { Condition: parts.condition }),
  }));
const anyPolicy = fc.array(statement, { minLength: 1, maxLength: 3 }).map((statements) => policy(...statements));
const request = fc.record({
  action: fc.constantFrom('chime:GetMeeting', 'chime:GetAttendee', 'chime:DeleteMeeting', 'iam:GetUser', 's3:GetObject'),
  resources: fc
    .constantFrom('*', `${MEETING}a`, `${MEETING}b`, 'arn:aws:chime:eu-west-1:1:meeting/x', 'arn:aws:iam::111122223333:user/a')
    .map((one) => [one]),
  context: fc
    .record({
      'aws:username': fc.constantFrom(undefined, 'a', 'ab', 'b', 'c'),
      'aws:multifactorauthpresent': fc.constantFrom(undefined, 'true', 'false'),
      'aws:sourceip': fc.constantFrom(undefined, '10.1.2.3', '203.0.113.9'),
      'aws:tagkeys': fc.constantFrom(undefined, ['a'], ['b'], ['a', 'c']),
    })
    .map((entries) => new Map(Object.entries(entries).filter((entry) => entry[1] !== undefined)) as ConditionContext),
});

test('comparePolicies: for each difference, exactly one of the two versions allows the example request', () => {
  fc.assert(
    fc.property(anyPolicy, anyPolicy, (existing, updated) => {
      const [before, after] = [compiled(existing), compiled(updated)];
      for (const { change, witness } of comparePolicies(before, after, 'identity', REFERENCE).differences) {
        const allowed = [policyAllows(before, 'identity', witness), policyAllows(after, 'identity', witness)];
        assert.deepEqual(allowed, change === 'granted' ? [false, true] : [true, false]);
      }
    }),
    { numRuns: 60 },
  );
});

test('newAccess: if it returns nothing, the new version allows no additional request', () => {
  fc.assert(
    fc.property(anyPolicy, anyPolicy, fc.array(request, { minLength: 40, maxLength: 40 }), (existing, updated, requests) => {
      const [before, after] = [compiled(existing), compiled(updated)];
      const found = newAccess(before, after, 'identity', REFERENCE).length > 0;
      for (const one of requests) {
        if (policyAllows(after, 'identity', one) && !policyAllows(before, 'identity', one)) assert.ok(found, JSON.stringify(one));
      }
    }),
    { numRuns: 150 },
  );
});

test('checkAccessNotGranted: if it passes, the policy allows no request with the listed access', () => {
  fc.assert(
    fc.property(anyPolicy, action, resource, fc.array(request, { minLength: 40, maxLength: 40 }), (written, checked, target, requests) => {
      const [granted, listed] = [compiled(written), compiled(policy(allow(checked, target)))];
      const { result } = checkAccessNotGranted(granted, { actions: [checked], resources: [target] }, 'identity', REFERENCE);
      for (const one of requests) {
        if (policyAllows(granted, 'identity', one) && policyAllows(listed, 'identity', one))
          assert.equal(result, 'FAIL', JSON.stringify(one));
      }
    }),
    { numRuns: 150 },
  );
});

const principal = fc.constantFrom(
  { AWS: '*' },
  { AWS: '111122223333' },
  { AWS: 'arn:aws:iam::111122223333:role/r' },
  { AWS: 'arn:aws:iam::444455556666:root' },
  { AWS: 'arn:aws:iam::444455556666:user/u' },
  { AWS: 'AROACKCEVSQ6C2EXAMPLE' },
  { Service: 'chime.amazonaws.com' },
  { Federated: 'accounts.google.com' },
);
const trustStatement = fc
  .record({
    effect: fc.constantFrom('Allow', 'Allow', 'Deny'),
    principal,
    not: fc.boolean(),
    action: fc.constantFrom('sts:AssumeRole', 'sts:*', 'sts:TagSession'),
    condition,
  })
  .map((parts) => ({
    Effect: parts.effect,
    [parts.not && parts.effect === 'Deny' ? 'NotPrincipal' : 'Principal']: parts.principal,
    Action: parts.action,
    ...(parts.condition === undefined ? {} : { Condition: parts.condition }),
  }));
const anyTrust = fc.array(trustStatement, { minLength: 1, maxLength: 3 }).map((statements) => policy(...statements));
const ACCOUNT = '111122223333' as AccountId;
const caller: fc.Arbitrary<TrustCaller> = fc.constantFrom(
  { accountId: ACCOUNT, arn: 'arn:aws:iam::111122223333:user/u' },
  {
    accountId: ACCOUNT,
    arn: 'arn:aws:sts::111122223333:assumed-role/r/s',
    roleArn: 'arn:aws:iam::111122223333:role/r',
    uniqueId: 'AROACKCEVSQ6C2EXAMPLE',
  },
  { accountId: '444455556666' as AccountId, arn: 'arn:aws:iam::444455556666:user/u' },
  { service: 'chime.amazonaws.com' },
  { federated: 'accounts.google.com' },
);

test('newAccess: if it returns nothing for trust policies, the new version allows no additional caller', () => {
  fc.assert(
    fc.property(anyTrust, anyTrust, fc.array(fc.tuple(request, caller), { minLength: 40, maxLength: 40 }), (existing, updated, calls) => {
      const [before, after] = [compiled(existing), compiled(updated)];
      const found = newAccess(before, after, 'resource', REFERENCE).length > 0;
      for (const [one, by] of calls) {
        const witness = { ...one, action: 'sts:AssumeRole', caller: by };
        if (policyAllows(after, 'resource', witness) && !policyAllows(before, 'resource', witness))
          assert.ok(found, JSON.stringify(witness));
      }
    }),
    { numRuns: 150 },
  );
});

test('comparePolicies: without variables, a change of Version makes no difference', () => {
  const Statement = [allow('chime:*', `${MEETING}*`, only('a'))];
  const [old, recent] = [compiled({ Version: '2008-10-17', Statement }), compiled({ Version: '2012-10-17', Statement })];
  assert.deepEqual(comparePolicies(old, recent, 'identity', REFERENCE), { differences: [], complete: true });
});

test('comparePolicies: the order of the statements makes no difference', () => {
  fc.assert(
    fc.property(fc.array(statement, { minLength: 1, maxLength: 4 }), (statements) => {
      const [one, other] = [compiled(policy(...statements)), compiled(policy(...statements.toReversed()))];
      assert.deepEqual(comparePolicies(one, other, 'identity', REFERENCE), { differences: [], complete: true });
    }),
    { numRuns: 60 },
  );
});

test('checkNoPublicAccess: a check that exceeds its budget ends with an error, although it found access', () => {
  const open = compiled(policy({ ...allow('s3:*'), Principal: '*' }, { ...deny('s3:*'), Principal: '*' }));
  assert.equal(checkNoPublicAccess(open, { service: 's3' }, { stepsLeft: 10_000 }).result, 'PASS');
  assert.throws(() => checkNoPublicAccess(open, { service: 's3' }, { stepsLeft: 10 }), StepsExceeded);
});
