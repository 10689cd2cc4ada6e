import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { runPolicyTest } from './run.ts';
import { tapLines, tapPoints } from './tap.ts';

const allow = (Action: string, Sid?: string) => ({
  Version: '2012-10-17',
  Statement: { ...(Sid === undefined ? {} : { Sid }), Effect: 'Allow', Action, Resource: '*' },
});
const deny = (Action: string) => ({ Version: '2012-10-17', Statement: { Effect: 'Deny', Action, Resource: '*' } });
const trust = {
  Version: '2012-10-17',
  Statement: { Sid: 'In', Effect: 'Allow', Principal: { AWS: '111122223333', Service: 'chime.amazonaws.com' }, Action: 'sts:AssumeRole' },
};

const policies = { get: allow('chime:Get*', 'Look'), all: allow('*'), guard: deny('iam:*'), trust };
const principals = {
  user: { arn: 'arn:aws:iam::111122223333:user/u', identity: 'get' },
  bounded: { identity: ['all'], boundary: ['get'] },
  passed: { identity: ['all'], session: [] },
  governed: { identity: ['all'], serviceControl: [['all'], ['all', 'guard']] },
  root: { arn: 'arn:aws:iam::111122223333:root' },
  otherAccount: { arn: 'arn:aws:iam::444455556666:user/s' },
  service: { arn: 'chime.amazonaws.com' },
};

function run(request: object, more: object = {}) {
  return runPolicyTest(JSON.stringify({ policies, principals, requests: [request], ...more }));
}

// biome-ignore format: a table
const CASES: readonly (readonly [title: string, request: object, passed: boolean])[] = [
  ['an Allow',                                     { principal: 'user', action: 'chime:GetMeeting', expect: 'Allow' },                                    true ],
  ['an Allow by a statement with a Sid',           { principal: 'user', action: 'chime:GetMeeting', expect: 'Allow', by: 'get#Look' },                    true ],
  ['an Allow by a statement index',                { principal: 'user', action: 'chime:GetMeeting', expect: 'Allow', by: 'get#0' },                       true ],
  ['an Allow by the wrong policy',                 { principal: 'user', action: 'chime:GetMeeting', expect: 'Allow', by: 'all' },                         false],
  ['an expected Allow for a denial',               { principal: 'user', action: 'iam:GetUser', expect: 'Allow' },                                         false],
  ['an expected Deny for an implicit denial',      { principal: 'user', action: 'iam:GetUser', expect: 'Deny' },                                          true ],
  ['an expected ExplicitDeny for an implicit one',  { principal: 'user', action: 'iam:GetUser', expect: 'ExplicitDeny' },                                  false],
  ['the policy type without an Allow',             { principal: 'bounded', action: 'iam:GetUser', expect: 'ImplicitDeny', missing: 'boundary' },          true ],
  ['the wrong policy type without an Allow',       { principal: 'bounded', action: 'iam:GetUser', expect: 'ImplicitDeny', missing: 'identity' },          false],
  ['an empty list of session policies',            { principal: 'passed', action: 'iam:GetUser', expect: 'ImplicitDeny', missing: 'session' },            true ],
  ['an explicit denial by an organization policy',  { principal: 'governed', action: 'iam:GetUser', expect: 'ExplicitDeny', by: 'guard#0' },               true ],
  ['a root without policies',                      { principal: 'root', action: 'iam:GetUser', expect: 'Allow' },                                         true ],
  ['a trust policy that names the account',        { principal: 'user', action: 'sts:AssumeRole', trust: 'trust', expect: 'Allow', by: 'trust#In' },     true ],
  ['a trust policy and another account',           { principal: 'otherAccount', action: 'sts:AssumeRole', trust: 'trust', expect: 'ImplicitDeny' },       true ],
  ['a trust policy and a service',                 { principal: 'service', action: 'sts:AssumeRole', trust: 'trust', expect: 'Allow' },                   true ],
];

for (const [title, request, passed] of CASES) {
  test(`runPolicyTest: ${title} ${passed ? 'passes' : 'fails'}`, () => {
    const report = run(request);
    assert.deepEqual(report.problems, []);
    assert.equal(report.passed, passed);
  });
}

// biome-ignore format: a table
const PROBLEMS: readonly (readonly [title: string, text: string, problem: RegExp])[] = [
  ['invalid JSON',                  '{',                                                                                       /^line 1: /],
  ['a list',                        '[]',                                                                                      /must be an object/],
  ['an empty object',               '{}',                                                                                      /requires 'policies'/],
  ['an unknown member',             JSON.stringify({ policies, principals, requests: [{ principal: 'user', action: 'a:b', expect: 'Deny', contxt: {} }] }), /unknown member 'contxt'/],
  ['an unknown principal',          JSON.stringify({ policies, principals, requests: [{ principal: 'x', action: 'a:b', expect: 'Deny' }] }), /unknown principal 'x'/],
  ['an unknown policy',             JSON.stringify({ policies, principals: { p: { identity: 'x' } }, requests: [{ principal: 'p', action: 'a:b', expect: 'Deny' }] }), /unknown policy 'x'/],
  ['an unknown expectation',        JSON.stringify({ policies, principals, requests: [{ principal: 'user', action: 'a:b', expect: 'Maybe' }] }), /invalid value 'Maybe' of 'expect'/],
  ['an invalid policy',             JSON.stringify({ policies: { p: { Statement: { Effect: 'Allow' } } }, principals: { a: {} }, requests: [{ principal: 'a', action: 'a:b', expect: 'Deny' }] }), /^policy 'p', line 1/],
  ['a managed policy without a source', JSON.stringify({ policies: { p: 'arn:aws:iam::aws:policy/X' }, principals: { a: {} }, requests: [{ principal: 'a', action: 'a:b', expect: 'Deny' }] }), /^policy 'p' not found/],
  ['a repeated member name',        '{"title":"a","title":"b"}',                                                               /occurs more than once/],
];

for (const [title, text, problem] of PROBLEMS) {
  test(`runPolicyTest: ${title} is a problem and fails the test`, () => {
    const report = runPolicyTest(text);
    assert.equal(report.passed, false);
    assert.ok(
      report.problems.some((found) => problem.test(found)),
      report.problems.join('\n'),
    );
  });
}

test('runPolicyTest: the coverage contains the number of requests that each statement decided', () => {
  const { coverage } = run({ principal: 'user', action: 'chime:GetMeeting', expect: 'Allow' });
  assert.deepEqual(
    coverage.find(({ policy }) => policy === 'get'),
    { policy: 'get', statement: 0, sid: 'Look', decided: 1 },
  );
  assert.deepEqual(
    coverage.filter(({ decided }) => decided === 0).map(({ policy }) => policy),
    ['all', 'guard', 'trust'],
  );
});

test('runPolicyTest: with everyStatementDecides, a statement that decides no request fails the test', () => {
  const request = { principal: 'user', action: 'chime:GetMeeting', expect: 'Allow' };
  assert.equal(run(request, { everyStatementDecides: true }).passed, false);
  assert.equal(
    run(request, { everyStatementDecides: true, policies: { get: policies.get }, principals: { user: principals.user } }).passed,
    true,
  );
});

test('tapLines: a failure has the expected and the actual decision, and an escaped title in one line', () => {
  const report = run({ title: 'a\nok 9 # SKIP', principal: 'user', action: 'iam:GetUser', expect: 'Allow' });
  const lines = tapLines('a.json', report, 5);
  assert.equal(lines[1], 'not ok 5 - a ok 9 \\# SKIP');
  assert.equal(lines[3], '  expected: "Allow"');
  assert.equal(lines[4], '  actual: "ImplicitDeny, because the identity policies do not allow it on *"');
  assert.equal(lines.filter((line) => /^(not )?ok/.test(line)).length, tapPoints(report));
});

test('runPolicyTest: returns a report for any text, and never throws', () => {
  const whole = JSON.stringify({
    policies,
    principals,
    requests: [{ principal: 'user', action: 'chime:GetMeeting', expect: 'Allow', by: 'get', context: { a: [1, true] } }],
  });
  fc.assert(
    fc.property(fc.nat(), fc.string({ maxLength: 3 }), fc.string({ unit: 'binary', maxLength: 60 }), (at, by, any) => {
      const place = at % whole.length;
      for (const text of [any, whole.slice(0, place) + by + whole.slice(place + 1)]) {
        const report = runPolicyTest(text);
        assert.ok(report.problems.length > 0 || report.requests.length > 0);
      }
    }),
    { numRuns: 800 },
  );
});
