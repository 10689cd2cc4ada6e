// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policy variables
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ANALYSIS_STEPS_MAX } from '../analysis.ts';
import { compilePolicy, decide, linkStack } from '../engine.ts';
import type { AuthorizationReference } from '../validate/reference.ts';
import { grantedActions } from './granted-actions.ts';
import { trimmedPolicy, type UnusedPermissions } from './trimmed-policy.ts';

/** Services with actions, and one service of which only the prefix is known. */
const ACTIONS: Readonly<Record<string, readonly string[]>> = {
  chime: ['CreateMeeting', 'DeleteMeeting', 'GetMeeting', 'GetAttendee'],
  iam: ['CreateUser', 'GetUser', 'PassRole'],
  ec2: [],
};
const REFERENCE = {
  services: new Set(Object.keys(ACTIONS)),
  actionsOf: (prefix: string) =>
    prefix === 'ec2' ? undefined : (ACTIONS[prefix]?.map((name) => ({ prefix, name })) as ReturnType<AuthorizationReference['actionsOf']>),
};
/** Action that is newer than the reference. */
const NEWER = 'chime:GetNewest';

const budget = () => ({ stepsLeft: ANALYSIS_STEPS_MAX });
const policy = (...Statement: readonly object[]): string => JSON.stringify({ Version: '2012-10-17', Statement });
const allow = (Action: string | readonly string[], more: object = {}) => ({ Effect: 'Allow', Action, Resource: '*', ...more });
const DENY = { Effect: 'Deny', Action: 'chime:*', Resource: '*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } };

const UNUSED: UnusedPermissions = {
  services: ['ec2'],
  actions: { chime: ['DeleteMeeting', 'CreateMeeting'] },
  used: [NEWER, 'iam:GetUser'],
};

// biome-ignore format: a table
const TRIMMED: readonly (readonly [title: string, document: string, expected: string])[] = [
  ['a used action stays',                     policy(allow('chime:GetMeeting')),                          'unchanged'],
  ['an unused action goes',                   policy(allow(['chime:GetMeeting', 'chime:deletemeeting'])), policy(allow(['chime:GetMeeting']))],
  ['an unused service goes',                  policy(allow(['iam:*', 'ec2:Run*'])),                       policy(allow(['iam:*']))],
  ['a pattern of used actions stays',         policy(allow('chime:Get*')),                                'unchanged'],
  ['a pattern is replaced by the others',     policy(allow('chime:*Meeting')),                            policy(allow(['chime:GetMeeting']))],
  ['an action newer than the reference stays', policy(allow('chime:*')),                                  policy(allow(['chime:GetMeeting', 'chime:GetAttendee', NEWER]))],
  ['* is replaced by services and actions',   policy(allow('*')),                                         policy(allow(['chime:GetMeeting', 'chime:GetAttendee', NEWER, 'iam:*']))],
  ['a pattern of services is replaced',       policy(allow('*:Get*'), allow('*:*User', { Sid: 'b' })),    policy(allow(['chime:Get*', 'iam:Get*']), allow(['chime:*User', 'iam:*User'], { Sid: 'b' }))],
  ['an action of an unknown service stays',   policy(allow(['x:Y', 'ec2:Z'])),                            policy(allow(['x:Y']))],
  ['a statement without used actions goes',   policy(allow('ec2:*'), allow('iam:*')),                     policy(allow('iam:*'))],
  ['a policy without used actions is empty',  policy(allow('ec2:*')),                                     'empty'],
  ['a Deny stays, also alone',                policy(allow('ec2:*'), DENY),                               policy(DENY)],
  ['a version is added to a policy without one', JSON.stringify({ Statement: allow(['ec2:A', 'iam:GetUser'], { Resource: 'arn:aws:iam::*:user/${a}' }) }), policy(allow(['iam:GetUser'], { Resource: 'arn:aws:iam::*:user/${$}{a}' }))],
  ['NotAction is reported',                   policy({ Effect: 'Allow', NotAction: 'iam:*', Resource: '*' }), 'not-action'],
  ['an invalid document is reported',         '{',                                                        'invalid'],
];

for (const [title, document, expected] of TRIMMED) {
  test(`trimmedPolicy: ${title}`, () => {
    const trimmed = trimmedPolicy(document, UNUSED, REFERENCE, budget());
    if (trimmed.kind === 'trimmed') assert.deepEqual(JSON.parse(trimmed.document), JSON.parse(expected));
    else assert.equal(trimmed.kind, expected);
  });
}

test('trimmedPolicy: the rest of the document stays, character by character', () => {
  const deny = '{ "Effect": "Deny", "Action": "iam:*", "Resource": "*", "Condition": { "NumericLessThan": { "k": 9007199254740993.10 } } }';
  const document = `{ "Version": "2012-10-17",\n "Statement": [${deny}, {"Effect":"Allow", "Action" : [ "ec2:A" , "iam:GetUser" ], "Resource":"*"}], "Id": "x" }`;
  const expected = `{ "Version": "2012-10-17",\n "Statement": [${deny},{"Effect":"Allow", "Action" : ["iam:GetUser"], "Resource":"*"}], "Id": "x" }`;
  assert.deepEqual(trimmedPolicy(document, UNUSED, REFERENCE, budget()), { kind: 'trimmed', document: expected });
});

const ALL = [...Object.entries(ACTIONS).flatMap(([prefix, names]) => names.map((name) => `${prefix}:${name}`)), NEWER, 'ec2:Run'];
const pattern = fc.constantFrom(
  '*',
  'chime:*',
  'chime:Get*',
  'ch?me:*Meeting',
  '*:Get*',
  'iam:*',
  'IAM:getuser',
  'ec2:*',
  'ec2:Run',
  ...ALL,
);
const RESOURCES = ['arn:aws:chime:us-east-1:111122223333:meeting/a', 'arn:aws:chime:us-east-1:111122223333:meeting/b'];
const statement = fc.record({
  Effect: fc.constantFrom('Allow', 'Allow', 'Allow', 'Deny'),
  Action: fc.oneof(pattern, fc.array(pattern, { minLength: 1, maxLength: 4 })),
  Resource: fc.constantFrom('*', ...RESOURCES),
  Condition: fc.constantFrom({}, { StringEquals: { 'aws:username': 'ada' } }),
});
const policies = fc.array(fc.array(statement, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 });

/** Returns the decision of policies about each action, resource and user name. */
function decisions(documents: readonly string[], action: string): readonly string[] {
  const stack = linkStack({ identity: documents.map((text, i) => ({ policyId: String(i), policy: compilePolicy(text) })) });
  return RESOURCES.flatMap((resource) =>
    ['ada', 'bob'].map((name) => {
      const decision = decide(stack, { action, resources: [resource], context: new Map([['aws:username', name]]) });
      return decision.effect === 'Allow' ? 'allowed' : decision.kind;
    }),
  );
}

test('trimmedPolicy: recommended policies decide used actions as before, and allow no unused action', () => {
  fc.assert(
    fc.property(policies, fc.subarray(ALL), (statements, used) => {
      const documents = statements.map((each) => policy(...each));
      const unused = unusedBy(documents, used);
      const trimmed = documents.flatMap((document) => {
        const result = trimmedPolicy(document, unused, REFERENCE, budget());
        if (result.kind === 'empty') return [];
        return [result.kind === 'trimmed' ? result.document : document];
      });
      for (const action of ALL) {
        const before = decisions(documents, action);
        const after = decisions(trimmed, action);
        if (used.includes(action)) {
          assert.deepEqual(after, before, action);
          continue;
        }
        const [prefix = '', name = ''] = action.split(':');
        const isUnused = unused.services.includes(prefix) || unused.actions[prefix]?.includes(name) === true;
        for (const [i, each] of after.entries()) {
          if (before[i] === 'explicit') assert.equal(each, 'explicit', action);
          else assert.notEqual(each, isUnused ? 'allowed' : before[i] === 'allowed' ? undefined : 'allowed', action);
        }
      }
    }),
    { numRuns: 300 },
  );
});

/** Returns the granted permissions that were not used, with one obvious loop for each kind. */
function unusedBy(documents: readonly string[], used: readonly string[]): UnusedPermissions {
  const services = new Set<string>();
  const actions: Record<string, string[]> = {};
  for (const document of documents) {
    const work = grantedActions(document, REFERENCE, budget());
    let step = work.next();
    while (step.done !== true) step = work.next();
    for (const prefix of step.value.services) {
      if (!used.some((each) => each.startsWith(`${prefix}:`))) services.add(prefix);
      else
        actions[prefix] = (REFERENCE.actionsOf(prefix) ?? []).map(({ name }) => name).filter((name) => !used.includes(`${prefix}:${name}`));
    }
  }
  return { services: [...services], actions, used };
}

// biome-ignore format: a table
const GRANTED: readonly (readonly [title: string, document: string, chime: readonly string[] | undefined])[] = [
  ['an action in another case', policy(allow('CHIME:getmeeting')),                        ['GetMeeting']],
  ['patterns',                  policy(allow('ch*:Get*')),                                ['GetMeeting', 'GetAttendee']],
  ['NotAction',                 policy({ Effect: 'Allow', NotAction: 'chime:*Meeting', Resource: '*' }), ['GetAttendee']],
  ['a denial',                  policy(DENY),                                             undefined],
  ['another service',           policy(allow('iam:*')),                                   undefined],
  ['an invalid policy',         '{',                                                      undefined],
];

for (const [title, document, chime] of GRANTED) {
  test(`grantedActions: ${title} grants ${chime?.join(', ') ?? 'nothing'}`, () => {
    const work = grantedActions(document, REFERENCE, budget());
    let step = work.next();
    while (step.done !== true) step = work.next();
    assert.deepEqual(step.value.actions['chime'], chime);
  });
}
