import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Arn } from '#core/arn.ts';
import type { PolicyType } from './decision.ts';
import { denialText } from './denial.ts';

const ARN = 'arn:aws:iam::111122223333:policy/X' as Arn;

// biome-ignore format: a table
const ROWS: readonly [policyType: PolicyType, explicit: string, implicit: string, carriesArn: boolean][] = [
  // policy type       explicit                                                   implicit                                                               ARN
  ['service-control',  'with an explicit deny in a service control policy',       'because no service control policy allows the chime:ListRooms action',  true ],
  ['resource',         'with an explicit deny in a resource-based policy',        'because no resource-based policy allows the chime:ListRooms action',   false],
  ['trust',            'with an explicit deny in the role trust policy',          'because no role trust policy allows the chime:ListRooms action',       false],
  ['boundary',         'with an explicit deny in a permissions boundary',         'because no permissions boundary allows the chime:ListRooms action',    true ],
  ['session',          'with an explicit deny in a session policy',               'because no session policy allows the chime:ListRooms action',          true ],
  ['identity',         'with an explicit deny in an identity-based policy',       'because no identity-based policy allows the chime:ListRooms action',   true ],
];

for (const [policyType, explicit, implicit, carriesArn] of ROWS) {
  test(`denialText: the message for a ${policyType} policy has AWS's name of the policy type`, () => {
    const frame = 'User: arn:aws:iam::111122223333:user/bob is not authorized to perform: chime:ListRooms on resource: arn:x';
    const facts = { principalArn: 'arn:aws:iam::111122223333:user/bob', action: 'chime:ListRooms', resource: 'arn:x' };
    const by = { policyType, policyId: 'X', policyArn: ARN, statement: 0 };
    const denied = { effect: 'Deny', kind: 'explicit', by, policyType, resource: 'arn:x' } as const;
    assert.equal(
      denialText({ ...facts, decision: { effect: 'Deny', kind: 'implicit', missing: policyType, resource: 'arn:x' } }),
      `${frame} ${implicit}`,
    );
    assert.equal(denialText({ ...facts, decision: denied }), `${frame} ${explicit}${carriesArn ? `: ${ARN}` : ''}`);
    assert.equal(denialText({ ...facts, decision: denied, wording: '2023' }), `${frame} ${explicit}`);
  });
}

test('denialText: the message has no resource if none is passed, and no ARN for an inline policy', () => {
  const decision = {
    effect: 'Deny',
    kind: 'explicit',
    by: { policyType: 'identity', policyId: 'u:p', statement: 0 },
    policyType: 'identity',
    resource: '*',
  } as const;
  assert.equal(
    denialText({ principalArn: 'arn:u', action: 'a:B', decision }),
    'User: arn:u is not authorized to perform: a:B with an explicit deny in an identity-based policy',
  );
});

test('denialText: the format of 2023 calls a missing Allow in service control policies an explicit deny', () => {
  const decision = { effect: 'Deny', kind: 'implicit', missing: 'service-control', resource: '*' } as const;
  assert.equal(
    denialText({ principalArn: 'arn:u', action: 'a:B', decision, wording: '2023' }),
    'User: arn:u is not authorized to perform: a:B with an explicit deny in a service control policy',
  );
});
