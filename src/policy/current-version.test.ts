// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policy variables
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inCurrentVersion } from './current-version.ts';
import { compilePolicy, decide, linkStack } from './engine.ts';
import { malformedPolicyText } from './validate/malformed-policy-text.ts';

// biome-ignore format: a table
const TEXTS: readonly (readonly [title: string, text: string, expected: string])[] = [
  ['a policy in the current version',  '{ "Version": "2012-10-17", "Statement": { "Resource": "a${b}" } }', '{ "Version": "2012-10-17", "Statement": { "Resource": "a${b}" } }'],
  ['a policy without a version',       ' { "Statement": { "Resource": "a${b}" } }',                         '{"Version":"2012-10-17", "Statement": { "Resource": "a${$}{b}" } }'],
  ['a policy in the first version',    '{"Id":"${x","Version": "2008-10-17" ,"Statement":[]}',              '{"Id":"${$}{x","Version": "2012-10-17" ,"Statement":[]}'],
  ['an escaped variable',              '{"Statement":{"Resource":"\\u0024\\u007bb} \\"q\\" $ {"}}',         '{"Version":"2012-10-17","Statement":{"Resource":"${$}{b} \\"q\\" $ {"}}'],
  ['a long number',                    '{"Statement":{"Condition":{"NumericEquals":{"k":9007199254740993.10}}}}', '{"Version":"2012-10-17","Statement":{"Condition":{"NumericEquals":{"k":9007199254740993.10}}}}'],
];

for (const [title, text, expected] of TEXTS)
  test(`inCurrentVersion: ${title}`, () => {
    assert.equal(inCurrentVersion(text), expected);
  });

test('inCurrentVersion: the policy decides as before, and can be a managed policy', () => {
  const statement = (Effect: string, Action: string, Resource: string) => ({ Effect, Action, Resource });
  const text = JSON.stringify({
    Statement: [
      statement('Allow', 'iam:*', 'arn:aws:iam::*:user/${aws:username}*'),
      statement('Deny', 'iam:D*', 'arn:aws:iam::*:user/${*}'),
    ],
  });
  const current = inCurrentVersion(text);
  assert.equal(malformedPolicyText(current, 'identity', 'managed'), undefined);
  const context = new Map([['aws:username', 'ann']]);
  const effects = [text, current].map((each) => {
    const stack = linkStack({ identity: [{ policyId: 'p', policy: compilePolicy(each) }] });
    return ['ann', '${aws:username}', '${aws:username}2', '${x}', '*'].flatMap((name) =>
      ['iam:GetUser', 'iam:DeleteUser'].map(
        (action) => decide(stack, { action, resources: [`arn:aws:iam::111122223333:user/${name}`], context }).effect,
      ),
    );
  });
  assert.deepEqual(effects[0], effects[1]);
  assert.deepEqual(new Set(effects[0]), new Set(['Allow', 'Deny']));
});
