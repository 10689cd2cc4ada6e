import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import { authorizationMessage } from './authorization-message.ts';
import { compilePolicy } from './compile.ts';
import type { SourcedPolicy } from './compiled-policy.ts';
import { contextKeysOf, simulate } from './simulate.ts';

function sourced(policyId: string, statement: object): SourcedPolicy {
  return {
    policyId,
    policy: compilePolicy(
      JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*', ...statement }] }),
    ),
  };
}

const ALL = sourced('all', {});
const NONE = sourced('none', { Action: 'sqs:*' });
const BUCKET = 'arn:aws:s3:::bucket/key';

const GET = '{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}';
const ADMINISTRATOR = `{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": "*",
      "Resource": "*"
    }
  ]
}`;

// Source: outputs of the AWS CLI in public reports, for AdministratorAccess and for a statement that
// begins in column 41.
// Source: AWS CLI command reference, simulate-custom-policy, for a single statement. The statement on that page is
// longer and has the columns 38 and 167.
// biome-ignore format: a table
const POSITIONS: readonly (readonly [title: string, text: string, start: readonly number[], end: readonly number[]])[] = [
  ['a statement in a list begins after the bracket',         ADMINISTRATOR,                                                     [3, 17], [8, 6]                 ],
  ['the bracket may be followed directly by the statement',  `{"Version": "2012-10-17", "Statement": [${GET}]}`,                [1, 41], [1, 41 + GET.length]   ],
  ['a single statement begins after its brace',              `{"Version":"2012-10-17","Statement":${GET}}`,                     [1, 38], [1, 37 + GET.length]   ],
  ['a later statement begins after the previous one',        `{"Statement":[{"Effect":"Allow","Action":"a:B","Resource":"*"},\n  ${GET}]}`, [1, 63], [2, 3 + GET.length]],
];

for (const [title, text, start, end] of POSITIONS) {
  test(`simulate: ${title}`, () => {
    const layers = { identity: [{ policyId: 'p', policy: compilePolicy(text) }] };
    const [result] = simulate({ layers, actions: ['s3:GetObject'], resources: [], context: new Map() });
    const [matched, ...others] = result?.MatchedStatements ?? [];
    assert.deepEqual([matched?.SourcePolicyId, matched?.SourcePolicyType, others], ['p', 'IAM Policy', []]);
    assert.deepEqual(
      [matched?.StartPosition, matched?.EndPosition],
      [start, end].map(([Line, Column]) => ({ Line, Column })),
    );
  });
}

test('simulate: a result has no empty EvalDecisionDetails, and no ResourceSpecificResults for *', () => {
  const members = (resources: readonly string[]) => {
    const [result] = simulate({ layers: { identity: [ALL] }, actions: ['a:B'], resources, context: new Map() });
    return Object.keys(result ?? {});
  };
  const shared = ['EvalActionName', 'EvalResourceName', 'EvalDecision', 'MatchedStatements', 'MissingContextValues'];
  assert.deepEqual(members([]), shared);
  assert.deepEqual(members([BUCKET]), [...shared, 'ResourceSpecificResults']);
});

// biome-ignore format: a table
const DECISIONS: readonly [title: string, layers: Parameters<typeof simulate>[0]['layers'], decision: string, boundary: boolean | undefined, organization: boolean | undefined][] = [
  // case                                             layers                                                              decision        boundary   organization
  ['a request with an Allow is allowed',              { identity: [ALL] },                                                'allowed',      undefined, undefined],
  ['a request without an Allow is denied implicitly', { identity: [NONE] },                                               'implicitDeny', undefined, undefined],
  ['a Deny is an explicit denial',                    { identity: [ALL, sourced('d', { Effect: 'Deny' })] },              'explicitDeny', undefined, undefined],
  ['a boundary without an Allow is reported',         { identity: [ALL], boundary: [NONE] },                              'implicitDeny', false,     undefined],
  ['a boundary that allows is reported',              { identity: [NONE], boundary: [ALL] },                              'implicitDeny', true,      undefined],
  ['a denial by the organization is reported',        { identity: [ALL], serviceControl: [[ALL], [NONE]] },               'implicitDeny', undefined, false    ],
  ['an organization that allows is reported',         { identity: [ALL], serviceControl: [[ALL], [ALL]] },                'allowed',      undefined, true     ],
];

for (const [title, layers, decision, boundary, organization] of DECISIONS) {
  test(`simulate: ${title}`, () => {
    const [result] = simulate({ layers, actions: ['s3:GetObject'], resources: [BUCKET], context: new Map() });
    assert.equal(result?.EvalDecision, decision);
    assert.equal(result?.PermissionsBoundaryDecisionDetail?.AllowedByPermissionsBoundary, boundary);
    assert.equal(result?.OrganizationsDecisionDetail?.AllowedByOrganizations, organization);
    assert.deepEqual(
      result?.ResourceSpecificResults?.map((one) => [one.EvalResourceName, one.EvalResourceDecision]),
      [[BUCKET, decision]],
    );
  });
}

test('simulate: every action on every resource has a result', () => {
  const results = simulate({
    layers: { identity: [ALL] },
    actions: ['a:B', 'a:C'],
    resources: ['arn:aws:s3:::x', 'arn:aws:s3:::y'],
    context: new Map(),
  });
  assert.deepEqual(
    results.map(({ EvalActionName, EvalResourceName }) => `${EvalActionName} ${EvalResourceName}`),
    ['a:B arn:aws:s3:::x', 'a:B arn:aws:s3:::y', 'a:C arn:aws:s3:::x', 'a:C arn:aws:s3:::y'],
  );
});

test('simulate: MissingContextValues has the keys that the request lacks, in the spelling of the policy', () => {
  const layers = { identity: [sourced('p', { Condition: { StringEquals: { 'aws:PrincipalTag/Team': 'x', 'aws:userid': 'y' } } })] };
  const [result] = simulate({ layers, actions: ['a:B'], resources: [], context: new Map([['aws:userid', 'y']]) });
  assert.deepEqual(result?.MissingContextValues, ['aws:PrincipalTag/Team']);
});

test('simulate: in one account, a resource policy is sufficient, and a trust policy is required', () => {
  const caller = { accountId: '111122223333' as AccountId, arn: 'arn:aws:iam::111122223333:user/bob' };
  const grant = {
    policyId: 'r',
    policy: compilePolicy(JSON.stringify({ Statement: { Effect: 'Allow', Action: '*', Principal: { AWS: caller.arn } } })),
  };
  const nobody = {
    policyId: 'r',
    policy: compilePolicy(
      JSON.stringify({ Statement: { Effect: 'Allow', Action: '*', Principal: { AWS: 'arn:aws:iam::111122223333:user/eve' } } }),
    ),
  };
  const role = 'arn:aws:iam::111122223333:role/r';
  const asked = { actions: ['sts:AssumeRole'], resources: [role], context: new Map<string, string>() };
  const decided = (identity: SourcedPolicy, source: SourcedPolicy) =>
    simulate({ ...asked, layers: { identity: [identity] }, resourcePolicy: { source, caller, policyType: 'trust' } })[0]?.EvalDecision;
  assert.deepEqual([decided(NONE, grant), decided(ALL, nobody), decided(ALL, grant)], ['allowed', 'implicitDeny', 'allowed']);
});

test('simulate: a boundary limits a resource policy that names a role, but not one that names a session', () => {
  const [session, role] = ['arn:aws:sts::111122223333:assumed-role/a/me', 'arn:aws:iam::111122223333:role/a'];
  const caller = { accountId: '111122223333' as AccountId, arn: session, roleArn: role };
  const decided = (named: string, boundary: SourcedPolicy) => {
    const text = JSON.stringify({ Statement: { Effect: 'Allow', Action: '*', Principal: { AWS: named } } });
    const resourcePolicy = { source: { policyId: 'r', policy: compilePolicy(text) }, caller, policyType: 'trust' as const };
    const asked = { actions: ['sts:AssumeRole'], resources: ['arn:aws:iam::111122223333:role/b'], context: new Map<string, string>() };
    return simulate({ ...asked, layers: { identity: [NONE], boundary: [boundary] }, resourcePolicy })[0]?.EvalDecision;
  };
  assert.deepEqual([decided(role, ALL), decided(role, NONE), decided(session, NONE)], ['allowed', 'implicitDeny', 'allowed']);
});

test('contextKeysOf: returns each key in conditions and variables once', () => {
  const policy = compilePolicy(
    // biome-ignore lint/suspicious/noTemplateCurlyInString: policy variables
    '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:iam::1:user/${aws:UserName}","Condition":{"StringLike":{"aws:userid":["${aws:username}","${aws:PrincipalTag/Team, \'x\'}"]}}}}',
  );
  assert.deepEqual(contextKeysOf(policy), ['aws:UserName', 'aws:userid', 'aws:PrincipalTag/Team']);
});

test('authorizationMessage: contains the principal, the action and the statement that denies', () => {
  const layers = { identity: [ALL, sourced('d', { Sid: 'No', Effect: 'Deny', Action: 's3:*' })] };
  const message = JSON.parse(
    authorizationMessage({
      principal: { id: 'AIDA', name: 'bob', arn: 'arn:b' },
      action: 's3:GetObject',
      resource: BUCKET,
      decision: {
        effect: 'Deny',
        kind: 'explicit',
        by: { policyType: 'identity', policyId: 'd', statement: 0 },
        policyType: 'identity',
        resource: BUCKET,
      },
      layers,
      context: new Map([['aws:userid', 'AIDA']]),
      budget: { stepsLeft: 10_000 },
    }),
  );
  assert.equal(message.explicitDeny, true);
  assert.deepEqual(
    message.matchedStatements.items.map((one: { statementId: string }) => one.statementId),
    ['No'],
  );
  assert.deepEqual(message.context.conditions.items, [{ key: 'aws:userid', values: { items: [{ value: 'AIDA' }] } }]);
});
