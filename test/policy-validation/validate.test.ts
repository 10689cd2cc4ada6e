import assert from 'node:assert/strict';
import test from 'node:test';
import { managedPolicies } from '#model/managed-policies.ts';
import type { PolicyType } from '#policy/decision.ts';
import type { PathElement } from '#policy/validate/finding.ts';
import { ISSUES } from '#policy/validate/issues.ts';
import { malformedPolicyText } from '#policy/validate/malformed-policy-text.ts';
import { NOT_APPLICABLE } from '#policy/validate/not-applicable.ts';
import { RULES, validatePolicy } from '#policy/validate/validate.ts';
import { MESSAGES, OWN_MESSAGES } from './messages.ts';
import { REFERENCE } from './reference.ts';
import { policy, ROWS } from './rows.ts';

function textOf(written: unknown): string {
  return typeof written === 'string' ? written : JSON.stringify(written);
}

function codesOf(written: unknown, policyType: PolicyType): readonly string[] {
  return validatePolicy(textOf(written), policyType, REFERENCE).map(({ issueCode }) => issueCode);
}

for (const [code, policyType, found, notFound] of ROWS) {
  test(`validatePolicy: ${code} is found in ${textOf(found).slice(0, 160)}`, () => {
    assert.ok(codesOf(found, policyType).includes(code), `found only ${codesOf(found, policyType).join(', ')}`);
  });
  test(`validatePolicy: ${code} is not found in ${textOf(notFound).slice(0, 160)}`, () => {
    assert.ok(!codesOf(notFound, policyType).includes(code));
  });
}

test('validatePolicy: no message contains an unfilled placeholder', () => {
  for (const [code, policyType, found] of ROWS) {
    for (const { findingDetails } of validatePolicy(textOf(found), policyType, REFERENCE)) assert.ok(!findingDetails.includes('{}'), code);
  }
});

test("validatePolicy: every code of AWS's page is an issue or has a reason in NOT_APPLICABLE", () => {
  assert.deepEqual(
    Object.keys(MESSAGES).filter((code) => !(code in ISSUES) && !(code in NOT_APPLICABLE)),
    [],
  );
});

/**
 * Reports whether a message is one of AWS's messages for this code, with at least one character for each placeholder.
 */
function isMessage(code: string, details: string): boolean {
  return (MESSAGES[code] ?? []).some((message) => {
    const [first = '', ...rest] = message.split('{}');
    let at = first.length;
    if (!details.startsWith(first)) return false;
    for (const [i, part] of rest.entries()) {
      const next = i === rest.length - 1 ? details.length - part.length : details.indexOf(part, at + 1);
      if (next <= at || !details.startsWith(part, next)) return false;
      at = next + part.length;
    }
    return at === details.length;
  });
}

test("validatePolicy: every message is the same as on AWS's page, except the messages in OWN_MESSAGES", () => {
  for (const [code, policyType, found] of ROWS) {
    for (const { issueCode, findingDetails } of validatePolicy(textOf(found), policyType, REFERENCE)) {
      assert.equal(isMessage(issueCode, findingDetails), !(issueCode in OWN_MESSAGES), `${code}: ${issueCode} ${findingDetails}`);
    }
  }
});

test('validatePolicy: every issue code has a row in the table', () => {
  const tested = new Set(ROWS.map(([code]) => code as string));
  assert.deepEqual(
    Object.keys(ISSUES).filter((code) => !tested.has(code)),
    [],
  );
});

test('validatePolicy: each issue code belongs to a rule or to the policy reader, and not to NOT_APPLICABLE', () => {
  const codes = new Set(RULES.map(({ code }) => code as string));
  for (const read of ['JSON_SYNTAX_ERROR', 'DATA_TYPE_MISMATCH', 'INVALID_POLICY_ELEMENT']) codes.add(read);
  assert.deepEqual([...codes].sort(), Object.keys(ISSUES).sort());
  assert.deepEqual(
    Object.keys(NOT_APPLICABLE).filter((code) => code in ISSUES),
    [],
  );
});

test('validatePolicy: a finding has the members that the API defines, with its location in the text', () => {
  const text = '{\n  "Version": "2012-10-17",\n  "Statement": [{ "Effect": "Denys", "Action": "*", "Resource": "*" }]\n}';
  const [finding] = validatePolicy(text, 'identity', REFERENCE);
  assert.deepEqual(finding, {
    findingType: 'ERROR',
    issueCode: 'INVALID_EFFECT',
    findingDetails: 'The effect Denys is not valid. Use Allow or Deny.',
    learnMoreLink:
      'https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html#access-analyzer-reference-policy-checks-error-invalid-effect',
    locations: [
      {
        path: [{ value: 'Statement' }, { index: 0 }, { value: 'Effect' }],
        span: { start: { line: 3, column: 28, offset: 57 }, end: { line: 3, column: 35, offset: 64 } },
      },
    ],
  });
});

/** Replaces each string that can be a list by a list of this one string: actions, resources, principals and condition values. */
function inLists(written: unknown, above: readonly string[] = []): unknown {
  const [element = ''] = above;
  if (Array.isArray(written)) return written.map((one) => (typeof one === 'object' ? inLists(one, above) : one));
  if (typeof written === 'object' && written !== null)
    return Object.fromEntries(Object.entries(written).map(([name, value]) => [name, inLists(value, [name, ...above])]));
  const isListed =
    /^(Not)?(Action|Resource)$/.test(element) ||
    /^(Not)?Principal$/.test(above[1] ?? '') ||
    (above[2] === 'Condition' && above.length >= 3);
  return isListed ? [written] : written;
}

/** Returns the value at a path, or the name at a path that ends with a key. For a part of a string, returns the whole string. */
function valueAt(document: unknown, path: readonly PathElement[]): unknown {
  let at = document as { readonly [name: string | number]: unknown };
  for (const element of path) {
    if ('key' in element) return element.key in at ? element.key : undefined;
    if (!('substring' in element)) at = at['value' in element ? element.value : element.index] as typeof at;
  }
  return at;
}

for (const [form, change] of [
  ['a value', (written: unknown) => written],
  ['a list of one value', (written: unknown) => inLists(written)],
] as const) {
  test(`validatePolicy: for ${form}, the path and the span of a finding lead to the same value`, () => {
    for (const [code, policyType, found] of ROWS) {
      if (typeof found === 'string') continue;
      const text = JSON.stringify(change(found));
      for (const { issueCode, locations } of validatePolicy(text, policyType, REFERENCE)) {
        assert.ok(locations.length > 0, issueCode);
        for (const { path, span } of locations) {
          const spanned: unknown = JSON.parse(text.slice(span.start.offset, span.end.offset));
          assert.deepEqual(valueAt(JSON.parse(text), path), spanned, `${code}: ${issueCode} ${JSON.stringify(path)}`);
        }
      }
    }
  });
}

for (const [code, policyType, found] of ROWS) {
  if (typeof found === 'string') continue;
  test(`validatePolicy: ${code} is found with one-value lists in ${textOf(found).slice(0, 140)}`, () => {
    assert.deepEqual(codesOf(inLists(found), policyType).toSorted(), codesOf(found, policyType).toSorted());
  });
}

// biome-ignore format: a table
const SUGGESTIONS: readonly (readonly [action: string, details: string])[] = [
  ['chime:CreateMeting',    'The action chime:CreateMeting does not exist. Did you mean chime:CreateMeeting?'],
  ['chime:creatchannel',    'The action chime:creatchannel does not exist. Did you mean chime:CreateChannel?'],
  ['chime:Xyzzy',           'The action chime:Xyzzy does not exist.'],
  ['chmie:CreateMeeting',   'The service chmie specified in the action does not exist. Did you mean chime?'],
];

for (const [action, details] of SUGGESTIONS) {
  test(`validatePolicy: for the action ${action}, the finding says: ${details}`, () => {
    const findings = validatePolicy(textOf(policy({ Effect: 'Allow', Action: action, Resource: '*' })), 'identity', REFERENCE);
    assert.ok(findings.some(({ findingDetails }) => findingDetails === details));
  });
}

for (const { name, document } of managedPolicies()) {
  test(`validatePolicy: the managed policy ${name} has no syntax errors and is not malformed`, () => {
    const errors = validatePolicy(document, 'identity', REFERENCE).filter(({ findingType }) => findingType === 'ERROR');
    const syntaxErrors = errors.filter(({ issueCode }) => !ERRORS_OF_MANAGED.has(issueCode));
    assert.deepEqual(
      syntaxErrors.map(({ findingDetails }) => findingDetails),
      [],
    );
    assert.equal(malformedPolicyText(document, 'identity'), undefined);
  });
}

/** Expected errors: ReadOnlyAccess and SecurityAudit contain actions of services that AWS has closed. */
const ERRORS_OF_MANAGED: ReadonlySet<string> = new Set(['INVALID_SERVICE_IN_ACTION']);

// Recorded: the lists "AWS managed policies with this finding" in the "Access Analyzer policy check reference".
// biome-ignore format: a table
const OF_MANAGED: readonly (readonly [name: string, codes: readonly string[]])[] = [
  ['AdministratorAccess',       ['CREATE_SLR_WITH_STAR_IN_ACTION_AND_RESOURCE', 'PASS_ROLE_WITH_STAR_IN_ACTION_AND_RESOURCE']],
  ['IAMFullAccess',             ['CREATE_SLR_WITH_STAR_IN_ACTION_AND_RESOURCE', 'PASS_ROLE_WITH_STAR_IN_ACTION_AND_RESOURCE']],
  ['PowerUserAccess',           ['CREATE_SLR_WITH_STAR_IN_RESOURCE']],
  ['AmazonChimeFullAccess',     []],
  ['AmazonChimeReadOnly',       []],
  ['AmazonChimeUserManagement', []],
  ['AmazonChimeSDK',            []],
];

for (const [name, codes] of OF_MANAGED) {
  test(`validatePolicy: the managed policy ${name} has ${codes.length} findings, as on AWS's page`, () => {
    const { document } = managedPolicies().find((one) => one.name === name) ?? { document: '' };
    assert.deepEqual(codesOf(document, 'identity').toSorted(), codes);
  });
}
