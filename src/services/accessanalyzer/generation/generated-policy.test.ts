// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of ARNs
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findUse } from '#access/past/recorded-use.ts';
import { compilePolicy, decide, linkStack } from '#policy/engine.ts';
import { malformedPolicyText } from '#policy/validate/malformed-policy-text.ts';
import { policySize } from '#policy/validate/policy-size.ts';
import { ALICE, NOON } from '#store/conformance-fixtures.ts';
import { exampleContext } from '#store/trail/context-examples.ts';
import { encodeContexts } from '#store/trail/context-writer.ts';
import { collectedUse } from '../unused/collected-use.ts';
import { generatedPolicies } from './generated-policy.ts';

const USER = `arn:aws:iam::${ALICE}:user/ada`;
const stackOf = (texts: readonly string[]) =>
  linkStack({ identity: texts.map((text, i) => ({ policyId: `${i}`, policy: compilePolicy(text) })) });

/** Actions and resources from a small world, with wildcards and variables in the keys of objects. */
const uses = fc.array(
  fc.record({
    action: fc.constantFrom('s3:GetObject', 'chime:GetMeeting', 'iam:GetUser', 'iam:ListUsers'),
    resource: fc.oneof(
      fc.constant('*'),
      fc.nat(200).map((i) => `arn:aws:chime:us-east-1:${ALICE}:meeting/${i}`),
      fc.string({ unit: fc.constantFrom('a', '/', '*', '?', '${', '}', 'é'), maxLength: 6 }).map((key) => `arn:aws:s3:::bucket/${key}`),
      fc.nat(9).map((i) => `arn:aws:iam::${ALICE}:user/team${i}/u`),
    ),
  }),
  { maxLength: 150 },
);

/** Returns the use that records of requests have. */
function recordedUse(listed: readonly { readonly action: string; readonly resource: string }[]) {
  const use = collectedUse();
  const [permission] = exampleContext().permissions;
  for (let from = 0; from < listed.length; from += 20) {
    const records = listed.slice(from, from + 20).map(({ action, resource }) => {
      const permissions = [{ ...(permission as NonNullable<typeof permission>), action, resources: [resource] }];
      return {
        at: NOON,
        context: exampleContext({ caller: { principal: JSON.stringify(['IAMUser', ALICE, USER, 'AIDA', 'ada']) }, permissions }),
      };
    });
    const heads = JSON.stringify(records.map((_, i) => [`${i}`, ALICE, 'us-east-1', NOON, 'E', 's', 0, null, null, [], 2]));
    const part = { kind: 'search', accountId: ALICE, holderArn: USER, ranges: [{ from: NOON, to: NOON }] } as const;
    use.add(findUse({ ...part, packs: [{ heads, contexts: encodeContexts(records) as string }] }).own);
  }
  return use;
}

test('generated policy: a resource that is named * allows no other one, and IAM accepts the policy', () => {
  const action = 'cloudwatch:PutMetricAlarm';
  const alarm = (name: string) => `arn:aws:cloudwatch:us-east-1:${ALICE}:alarm:${name}`;
  const use = recordedUse([{ action, resource: alarm('*') }]);
  const texts = generatedPolicies({ used: use.listed(), denials: [], unrecorded: [], isComplete: true }, {});
  for (const text of texts) assert.equal(malformedPolicyText(text, 'identity'), undefined, text);
  const effects = ['*', 'other'].map((name) => {
    return decide(stackOf(texts), { action, resources: [alarm(name)], context: new Map() }).effect;
  });
  assert.deepEqual(effects, ['Allow', 'Deny']);
});

test('generated policy: it allows each recorded use, and IAM accepts it', () => {
  fc.assert(
    fc.property(uses, fc.boolean(), (listed, isOtherDenied) => {
      const use = recordedUse(listed);
      const denials = isOtherDenied ? [{ Sid: 'SupportedServiceSid1', Effect: 'Deny', Action: 'iam:DeleteUser', Resource: '*' }] : [];
      const texts = generatedPolicies({ used: use.listed(), denials, unrecorded: [], isComplete: true }, {});
      const stack = stackOf(texts);
      for (const { action, resource } of listed)
        assert.equal(decide(stack, { action, resources: [resource], context: new Map() }).effect, 'Allow', `${action} ${resource}`);
      for (const text of texts) {
        assert.equal(malformedPolicyText(text, 'identity'), undefined, text);
        assert.ok(policySize(text) <= 6144, text);
      }
      const denied = decide(stack, { action: 'iam:DeleteUser', resources: [USER], context: new Map() });
      assert.equal(denied.effect === 'Deny' && denied.kind, isOtherDenied ? 'explicit' : 'implicit');
    }),
    { numRuns: 60 },
  );
});

test('generated policy: a long one is split, and each part fits into a managed policy', () => {
  const used = Array.from({ length: 90 }, (_, i) => {
    const resources = Array.from({ length: 8 }, (__, j) => `arn:aws:chime:us-east-1:${ALICE}:${'r'.repeat(40)}-${i}/${j}`);
    return [`chime:Action${i}`, resources] as const;
  });
  const texts = generatedPolicies({ used, denials: [], unrecorded: [], isComplete: true }, {});
  assert.ok(texts.length > 5, `${texts.length}`);
  for (const text of texts) assert.ok(policySize(text) <= 6144);
  const stack = stackOf(texts);
  for (const [action, resources] of used)
    for (const resource of resources) assert.equal(decide(stack, { action, resources: [resource], context: new Map() }).effect, 'Allow');
});

test('generated policy: a Deny that is larger than a managed policy is divided, and denies the same requests', () => {
  const Resource = Array.from({ length: 90 }, (_, i) => `arn:aws:s3:::bucket/${'r'.repeat(70)}/${i}`);
  const denials = [{ Sid: 'Large', Effect: 'Deny', Action: ['s3:PutObject', 's3:DeleteObject'], Resource }];
  const texts = generatedPolicies({ used: [['s3:*', ['*']]], denials, unrecorded: [], isComplete: true }, {});
  for (const text of texts) {
    assert.ok(policySize(text) <= 6144, `${policySize(text)}`);
    assert.equal(malformedPolicyText(text, 'identity'), undefined, text);
  }
  const stack = stackOf(texts);
  const effect = (action: string, resource: string) => decide(stack, { action, resources: [resource], context: new Map() }).effect;
  for (const resource of Resource)
    assert.deepEqual([effect('s3:DeleteObject', resource), effect('s3:GetObject', resource)], ['Deny', 'Allow'], resource);
});

test('collected use: many resources of an action become patterns, and very many become *', () => {
  const meetings = (count: number, kind = 'meeting') =>
    Array.from({ length: count }, (_, i) => ['chime:GetMeeting', `arn:aws:chime:us-east-1:${ALICE}:${kind}/${i}`] as const);
  const collected = (...parts: readonly (readonly (readonly [string, string])[])[]) => {
    const use = collectedUse();
    for (const used of parts) use.add({ requests: 1, used, denied: [] });
    return use;
  };
  assert.equal(collected(meetings(64)).listed()[0]?.[1].length, 64);
  assert.deepEqual(collected(meetings(65)).listed(), [['chime:GetMeeting', [`arn:aws:chime:us-east-1:${ALICE}:meeting/*`]]]);
  const scattered = Array.from({ length: 65 }, (_, i) => meetings(1, `kind${i}`)).flat();
  assert.deepEqual(collected(scattered, meetings(3)).listed(), [['chime:GetMeeting', ['*']]]);
  const long = Array.from({ length: 2000 }, (_, i) => [`a:${i}`, `arn:aws:s3:::b/${'k'.repeat(1000)}`] as const);
  assert.deepEqual([collected(meetings(100)).isTooLarge(), collected(long).isTooLarge()], [false, true]);
  // 100 actions with 30 meetings each are too many, so each gets a pattern.
  const many = collected(
    Array.from({ length: 100 }, (_, i) => meetings(30).map(([, resource]) => [`chime:${i}`, resource] as const)).flat(),
  );
  assert.equal(many.isTooLarge(), false);
  assert.deepEqual(many.listed()[0], ['chime:0', [`arn:aws:chime:us-east-1:${ALICE}:meeting/*`]]);
});
