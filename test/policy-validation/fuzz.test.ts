// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policy variables look like templates
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { PolicyType } from '#policy/decision.ts';
import { tryCompilePolicy } from '#policy/engine.ts';
import { malformedPolicyText } from '#policy/validate/malformed-policy-text.ts';
import { validatePolicy } from '#policy/validate/validate.ts';
import { REFERENCE } from './reference.ts';
import { ROWS } from './rows.ts';

const POLICY_TYPES: readonly PolicyType[] = ['identity', 'boundary', 'session', 'service-control', 'resource', 'trust'];

/**
 * Asserts that validation, the check for malformed policies and the compiler do not throw. Also asserts that a policy
 * compiles if it is not malformed.
 */
function assertHandled(text: string): void {
  const compiles = 'policy' in tryCompilePolicy(text);
  for (const policyType of POLICY_TYPES) {
    const findings = validatePolicy(text, policyType, REFERENCE);
    assert.ok(findings.length <= 1000);
    for (const { locations } of findings) {
      for (const { span } of locations) assert.ok(span.start.offset <= span.end.offset && span.end.offset <= text.length);
    }
    if (malformedPolicyText(text, policyType) === undefined) assert.ok(compiles, `valid, but does not compile: ${text}`);
  }
}

const scalar = fc.oneof(
  fc.constantFrom(
    '*',
    '',
    'Allow',
    'Deny',
    'chime:*',
    'iam:PassRole',
    'chime:GetMeting',
    'arn:aws:iam::1:role/*',
    'arn:aws',
    '${aws:username}',
    '${',
    'true',
    '10.0.0.0/8',
    '2012-10-17',
    '2008-10-17',
  ),
  fc.string({ maxLength: 12 }),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
);
const name = fc.oneof(
  fc.constantFrom(
    'Version',
    'Id',
    'Statement',
    'Sid',
    'Effect',
    'Principal',
    'NotPrincipal',
    'Action',
    'NotAction',
    'Resource',
    'NotResource',
    'Condition',
    'AWS',
    'Service',
    'Federated',
    'StringLike',
    'ForAllValues:StringEqualsIfExists',
    'Null',
    'IpAddress',
    'aws:SourceIp',
    'aws:TagKeys',
    '__proto__',
    'constructor',
  ),
  fc.string({ maxLength: 8 }),
);
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 6, withCrossShrink: true },
    scalar,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(name, tie('value'), { maxKeys: 6 }),
  ),
}));

test('validation: any string results in findings or a policy', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), assertHandled), { numRuns: 300 });
});

test('validation: any JSON with policy elements results in findings or a policy', () => {
  fc.assert(
    fc.property(value, (any) => assertHandled(JSON.stringify(any))),
    { numRuns: 1500 },
  );
});

test('validation: any statement with any values results in findings or a policy', () => {
  const statement = fc.dictionary(name, value, { maxKeys: 8 });
  fc.assert(
    fc.property(fc.array(statement, { maxLength: 3 }), (statements) =>
      assertHandled(JSON.stringify({ Version: '2012-10-17', Statement: statements })),
    ),
    { numRuns: 1000 },
  );
});

test('validation: an example policy with one character replaced results in findings or a policy', () => {
  const texts = ROWS.map(([, , found]) => (typeof found === 'string' ? found : JSON.stringify(found))).filter((text) => text.length < 1000);
  const changed = fc.tuple(fc.constantFrom(...texts), fc.nat(), fc.string({ maxLength: 2 })).map(([text, at, by]) => {
    const place = at % text.length;
    return text.slice(0, place) + by + text.slice(place + 1);
  });
  fc.assert(fc.property(changed, assertHandled), { numRuns: 1000 });
});

// biome-ignore format: a table
const WORST: readonly (readonly [title: string, text: string])[] = [
  ['a policy with 12,000 actions',    JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Allow', Action: Array.from({ length: 12_000 }, (_, i) => `a:${i}*`), Resource: '*' } })],
  ['a policy with 20,000 statements', JSON.stringify({ Version: '2012-10-17', Statement: Array.from({ length: 20_000 }, () => ({})) })],
  ['an action with 30,000 wildcards', JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Allow', Action: `chime:${'*a'.repeat(30_000)}`, Resource: `arn:aws:chime:a:1:${'*a'.repeat(20_000)}` } })],
  ['a resource of unclosed variables', JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Allow', Action: '*', Resource: `arn:aws:iam::1:${'${'.repeat(60_000)}` } })],
  ['a condition with 6,000 keys',     JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Allow', Action: '*', Resource: '*', Condition: { StringEquals: Object.fromEntries(Array.from({ length: 6_000 }, (_, i) => [`aws:k${i}`, 'x'])) } } })],
];

for (const [title, text] of WORST) {
  test(`validation: ${title} results in findings or a policy`, () => {
    assert.ok(text.length < 400_000);
    assertHandled(text.slice(0, 131_072));
    assertHandled(text);
  });
}
