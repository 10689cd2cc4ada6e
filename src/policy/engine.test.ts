import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getHeapStatistics } from 'node:v8';
import { actionIdOf } from './actions.ts';
import {
  compilePolicy,
  DECISION_STEPS,
  decide,
  denialOf,
  type FactSource,
  linkStack,
  newRequestRecord,
  type PolicyTextError,
  programFor,
  type SourcedPolicy,
  setFacts,
  sharedStack,
} from './engine.ts';
import { StepsExceeded } from './steps.ts';

const CHANNEL = 'arn:aws:chime:us-east-1:111122223333:app-instance/a/channel/b';

function sourced(policyId: string, ...statements: object[]): SourcedPolicy {
  const all = statements.map((one) => ({ Effect: 'Allow', Action: '*', Resource: '*', ...one }));
  return { policyId, policy: compilePolicy(JSON.stringify({ Version: '2012-10-17', Statement: all })) };
}

test('compilePolicy: the error for an invalid document contains the position', () => {
  assert.throws(
    () => compilePolicy('{"Version":"2012-10-17",\n "Statement":{"Effect":"allow","Action":"*","Resource":"*"}}'),
    (error: PolicyTextError) => error.problems[0]?.start.line === 2 && error.problems[0].start.column === 23,
  );
});

test('decide: an empty list of resources means *, which an ARN pattern does not match', () => {
  const stack = linkStack({ identity: [sourced('p', { Resource: CHANNEL })] });
  assert.equal(decide(stack, { action: 'chime:CreateChannel', resources: [], context: new Map() }).effect, 'Deny');
});

test('decide: an explicit denial of one resource has precedence over an implicit denial of another', () => {
  const stack = linkStack({ identity: [sourced('p', { Effect: 'Deny', Resource: CHANNEL })] });
  const decision = decide(stack, { action: 'chime:CreateChannel', resources: ['arn:aws:chime:::x', CHANNEL], context: new Map() });
  assert.deepEqual(decision.effect === 'Deny' && [decision.kind, decision.resource], ['explicit', CHANNEL]);
});

test('decide: in an identity policy with a Principal, an Allow has no effect, and a Deny denies', () => {
  const misplaced = (Effect: string) => sourced('p', { Effect, Principal: { AWS: '*' } });
  const asked = { action: 'a:B', resources: ['*'], context: new Map() };
  assert.equal(decide(linkStack({ identity: [misplaced('Allow')] }), asked).effect, 'Deny');
  const denied = decide(linkStack({ identity: [sourced('all', {}), misplaced('Deny')] }), asked);
  assert.equal(denied.effect === 'Deny' && denied.kind, 'explicit');
});

test('decide: decides an action whose name is too long for the table of action numbers', () => {
  const stack = linkStack({ identity: [sourced('p', { Action: 'x:*' })] });
  const action = `x:${'y'.repeat(200)}`;
  assert.equal(actionIdOf(action), -1);
  assert.equal(decide(stack, { action, resources: ['*'], context: new Map() }).effect, 'Allow');
});

test('decide: searching a value that is too long exceeds the step budget', () => {
  const decideOn = (pattern: string, value: string | readonly string[]) => {
    const Condition = { 'ForAnyValue:StringLike': { 'x:claim': pattern } };
    const context = new Map([['x:claim', value]]);
    return decide(linkStack({ identity: [sourced('p', { Condition })] }), { action: 'a:B', resources: ['*'], context }).effect;
  };
  const words = Array.from({ length: 450 }, () => 'ab');
  assert.equal(decideOn('*a*b*', words), 'Allow');
  assert.throws(() => decideOn('*a*b*', [...words, 'ab']), StepsExceeded);
  assert.throws(() => decideOn('*a*b*', 'ab'.repeat(7200)), StepsExceeded);
  // A pattern whose only `*` is at its end requires no search, so the length of the value does not matter.
  assert.equal(decideOn('ab*', 'ab'.repeat(7200)), 'Allow');
});

test('linkStack: accepts the maximum number of levels of service control policies, and throws for one more', () => {
  const level = [sourced('scp', { Resource: CHANNEL })];
  const layers = (levels: number) => ({ identity: [sourced('p', {})], serviceControl: Array.from({ length: levels }, () => level) });
  const asked = { action: 'chime:CreateChannel', resources: [CHANNEL], context: new Map() };
  assert.equal(decide(linkStack(layers(56)), asked).effect, 'Allow');
  assert.throws(() => linkStack(layers(57)));
});

test('readsKey: returns true if a condition or variable of a statement for the action reads the key', () => {
  const stack = linkStack({
    identity: [
      sourced('p', { Action: 'chime:Delete*', Condition: { StringEquals: { 'aws:ResourceTag/Team': 'x' } } }),
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a policy variable
      sourced('q', { Action: 'chime:Get*', Resource: 'arn:aws:chime:*:*:meeting/${aws:PrincipalTag/meeting}' }),
    ],
  });
  const reads = (action: string, prefix: string) => stack.readsKey(action, prefix);
  assert.deepEqual(
    [
      reads('chime:DeleteMeeting', 'aws:resourcetag/'),
      reads('chime:GetMeeting', 'aws:resourcetag/'),
      reads('chime:GetMeeting', 'aws:principaltag/'),
    ],
    [true, false, true],
  );
});

test('programFor: two principals share the program of an action only if the same statements apply', () => {
  const shared = sourced('shared', { Action: 'chime:*' });
  const iam = sourced('iam', { Action: 'iam:*' });
  const one = linkStack({ identity: [shared] });
  const other = linkStack({ identity: [shared, iam] });
  const bound = linkStack({ identity: [shared], boundary: [shared] });
  const [chime, getUser] = ['chime:CreateChannel', 'iam:GetUser'];
  assert.equal(programFor(one, chime), programFor(other, chime));
  assert.notEqual(programFor(one, getUser), programFor(other, getUser));
  assert.notEqual(programFor(one, chime), programFor(bound, chime));
});

test('sharedStack: only principals with the same policies share a stack', () => {
  const [p, q] = [sourced('p', {}), sourced('q', {})];
  const one = sharedStack({ identity: [p, q] });
  assert.equal(sharedStack({ identity: [{ ...p }, { ...q }] }), one);
  for (const other of [
    { identity: [q, p] },
    { identity: [p] },
    { identity: [p, { ...q, policyId: 'r' }] },
    { identity: [p, sourced('q', {})] },
    { identity: [p, q], root: true },
    { identity: [p, q], session: [] },
    { identity: [p, q], boundary: [p] },
    { identity: [p, q], session: [p] },
    { identity: [p, q], serviceControl: [[p]] },
    { identity: [p, q], serviceControl: [[p], []] },
    { identity: [p], boundary: [q] },
  ]) {
    assert.notEqual(sharedStack(other), one);
  }
});

test('sharedStack: an empty list of service control levels allows, and a level without policies denies', () => {
  const identity = [sourced('p', {})];
  const effects = [[], [[]]].map((serviceControl) => {
    return decide(sharedStack({ identity, serviceControl }), { action: 'a:B', resources: ['*'], context: new Map() }).effect;
  });
  assert.deepEqual(effects, ['Allow', 'Deny']);
});

test('sharedStack: if 40 stacks contain one policy under 40 names, a decision has the name of its own stack', () => {
  const { policy } = sourced('p', {});
  const asked = { action: 'a:B', resources: ['*'], context: new Map() };
  for (let i = 0; i < 40; i++) {
    const decision = decide(sharedStack({ identity: [{ policyId: `name${i}`, policy }] }), asked);
    assert.equal(decision.effect === 'Allow' && decision.by[0]?.policyId, `name${i}`);
  }
});

test('programFor: for one policy with two names in two stacks, a decision has the name in its stack', () => {
  const { policy } = sourced('p', { Action: 'chime:*' });
  const asked = { action: 'chime:CreateChannel', resources: ['*'], context: new Map() };
  const named = ['first', 'second'].map((policyId) => decide(linkStack({ identity: [{ policyId, policy }] }), asked));
  assert.deepEqual(
    named.map((decision) => decision.effect === 'Allow' && decision.by[0]?.policyId),
    ['first', 'second'],
  );
});

test('denialOf: deciding an allowed request allocates no memory', () => {
  const stack = linkStack({
    identity: [
      sourced('p', { Effect: 'Deny', Condition: { NotIpAddress: { 'aws:SourceIp': ['10.0.0.0/8', '2001:db8::/32'] } } }),
      sourced('q', { Effect: 'Deny', Condition: { DateGreaterThan: { 'aws:CurrentTime': '2027-01-01' } } }),
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a policy variable
      sourced('r', { Resource: 'arn:aws:chime:*:111122223333:app-instance/?/*/${aws:username}' }),
    ],
    boundary: [sourced('b', { Action: 'chime:*', Resource: 'arn:aws:chime:us-east-1:*:app-instance/a/*' })],
  });
  const facts = ['10.1.2.3', '2001:db8::5', '10.9.9.9'].map((sourceIp): FactSource => {
    const keys = new Map([
      ['aws:sourceip', sourceIp],
      ['aws:username', 'b'],
    ]);
    return { truths: 0, moment: Date.UTC(2026, 0, 1), value: (_slot, key) => keys.get(key) };
  });
  const record = newRequestRecord();
  const budget = { stepsLeft: 0 };
  let allowed = 0;
  const run = (times: number): void => {
    for (let i = 0; i < times; i++) {
      for (const each of facts) {
        budget.stepsLeft = DECISION_STEPS;
        setFacts(record, each);
        if (denialOf(programFor(stack, 'chime:CreateChannel'), record, CHANNEL, budget) === undefined) allowed++;
      }
    }
  };
  run(100_000);
  const before = getHeapStatistics().used_heap_size;
  run(100_000);
  const grown = getHeapStatistics().used_heap_size - before;
  assert.equal(allowed, 600_000);
  // One allocation takes at least 16 bytes. One allocation per decision would take 4.8 million bytes here.
  assert.ok(grown < 1_000_000, `${grown} bytes`);
});
