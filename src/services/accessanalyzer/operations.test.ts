import assert from 'node:assert/strict';
import test from 'node:test';
import { analyzeAtOnce } from '../kit/fixture.ts';
import type { Call } from '../kit/operation.ts';
import { accessanalyzerOperations } from './operations.ts';

const serverFacts = { tlsFloor: 'TLSv1.2', eventHistoryDays: 90, readsWithoutTrail: false, internalHosts: 0 };
const operations = accessanalyzerOperations({ kinds: [], loadRules: async () => [], serverFacts });

/** Call with the only member that these operations use. */
const CALL = { analyze: analyzeAtOnce } as Call;

const statement = { Effect: 'Allow', Action: 'chime:GetMeting', Resource: '*' };
const policyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [statement, { ...statement, Sid: '' }] });
const other = JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Allow', Action: 'iam:GetUser', Resource: '*' } });

test('ValidatePolicy: small pages together have the findings of one large page, in the same order', async () => {
  const whole = await operations.ValidatePolicy.handle(CALL, { policyDocument, policyType: 'IDENTITY_POLICY' });
  assert.ok(whole.findings.length >= 3);
  assert.equal(whole.nextToken, undefined);
  const paged: unknown[] = [];
  let nextToken: string | undefined;
  do {
    const page = await operations.ValidatePolicy.handle(CALL, {
      policyDocument,
      policyType: 'IDENTITY_POLICY',
      maxResults: 1,
      ...(nextToken === undefined ? {} : { nextToken }),
    });
    assert.equal(page.findings.length, 1);
    paged.push(...page.findings);
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  assert.deepEqual(paged, whole.findings);
});

test('ValidatePolicy: a token of another policy is ValidationException', async () => {
  const { nextToken = '' } = await operations.ValidatePolicy.handle(CALL, { policyDocument, policyType: 'IDENTITY_POLICY', maxResults: 1 });
  for (const token of [nextToken, 'x', '1', '-1.x', '']) {
    await assert.rejects(
      operations.ValidatePolicy.handle(CALL, { policyDocument: other, policyType: 'IDENTITY_POLICY', nextToken: token }),
      { code: 'ValidationException' },
    );
  }
});

test('ValidatePolicy: maxResults of zero is ValidationException', async () => {
  await assert.rejects(operations.ValidatePolicy.handle(CALL, { policyDocument, policyType: 'IDENTITY_POLICY', maxResults: 0 }), {
    code: 'ValidationException',
  });
});

test('ValidatePolicy: a resource policy of a role is validated as a trust policy', async () => {
  const trust = JSON.stringify({
    Version: '2012-10-17',
    Statement: { Effect: 'Allow', Principal: { AWS: '111122223333' }, Action: 'sts:AssumeRole' },
  });
  const ofBus = trust.replace('sts:AssumeRole', 'events:PutEvents');
  const codes = async (input: object): Promise<string[]> =>
    (await operations.ValidatePolicy.handle(CALL, { policyDocument: trust, policyType: 'RESOURCE_POLICY', ...input })).findings.map(
      ({ issueCode }) => issueCode,
    );
  const validatePolicyResourceType = 'AWS::IAM::AssumeRolePolicyDocument';
  assert.deepEqual(await codes({ validatePolicyResourceType }), []);
  assert.deepEqual(await codes({}), []);
  assert.deepEqual(await codes({ policyDocument: ofBus }), ['MISSING_RESOURCE']);
  assert.deepEqual(await codes({ policyDocument: ofBus, validatePolicyResourceType }), ['UNSUPPORTED_ACTION_IN_POLICY']);
});

test('CheckNoNewAccess: the result for new access is FAIL, with the statement that allows it', async () => {
  const answer = await operations.CheckNoNewAccess.handle(CALL, {
    existingPolicyDocument: policyDocument,
    newPolicyDocument: other,
    policyType: 'IDENTITY_POLICY',
  });
  assert.equal(answer.result, 'FAIL');
  assert.equal(answer.reasons?.[0]?.statementIndex, 0);
});

// biome-ignore format: a table
const REFUSED: readonly (readonly [title: string, document: string, access: readonly object[]])[] = [
  ['invalid JSON',                    '{',                [{ actions: ['*'] }]],
  ['an unknown operator',             JSON.stringify({ Version: '2012-10-17', Statement: { ...statement, Condition: { x: { 'aws:username': 'a' } } } }), [{ actions: ['*'] }]],
  ['a document too long',             ' '.repeat(30_000), [{ actions: ['*'] }]],
  ['no access',                       other,              []],
  ['an empty access',                 other,              [{}]],
  ['an invalid action',               other,              [{ actions: ['GetUser'] }]],
  ['an invalid resource',             other,              [{ resources: ['user'] }]],
  ['a hundred and one actions',       other,              [{ actions: Array.from({ length: 101 }, () => 'iam:GetUser') }]],
];

for (const [title, document, access] of REFUSED) {
  test(`CheckAccessNotGranted: ${title} is InvalidParameterException`, async () => {
    await assert.rejects(
      operations.CheckAccessNotGranted.handle(CALL, { policyDocument: document, access, policyType: 'IDENTITY_POLICY' }),
      { code: 'InvalidParameterException' },
    );
  });
}

test('CheckAccessNotGranted: the result for access that is not allowed is PASS, without reasons', async () => {
  const answer = await operations.CheckAccessNotGranted.handle(CALL, {
    policyDocument: other,
    access: [{ actions: ['iam:PassRole'] }],
    policyType: 'IDENTITY_POLICY',
  });
  assert.deepEqual([answer.result, answer.reasons], ['PASS', []]);
});

test('CheckAccessNotGranted: the check of a long policy with many statements returns a result', async () => {
  const Statement = Array.from({ length: 180 }, (_, i) => ({
    Effect: i % 3 === 0 ? 'Deny' : 'Allow',
    Action: `a${i % 7}:*${i}*`,
    Resource: `arn:aws:s3:::b${i}*`,
    Condition: { StringLike: { [`aws:PrincipalTag/t${i % 9}`]: `*${i}*` } },
  }));
  const policy = JSON.stringify({ Version: '2012-10-17', Statement });
  assert.ok(policy.length < 24_576);
  const answer = await operations.CheckAccessNotGranted.handle(CALL, {
    policyDocument: policy,
    access: [{ actions: ['a1:*'] }],
    policyType: 'IDENTITY_POLICY',
  });
  assert.equal(answer.result, 'FAIL');
});
