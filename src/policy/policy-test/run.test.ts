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
  stranger: { arn: 'arn:aws:iam::444455556666:user/s' },
  service: { arn: 'chime.amazonaws.com' },
};

function run(request: object, more: object = {}) {
  return runPolicyTest(JSON.stringify({ policies, principals, requests: [request], ...more }));
}

// biome-ignore format: a table
const CASES: readonly (readonly [title: string, request: object, passed: boolean])[] = [
  ['an Allow that is one',                         { principal: 'user', action: 'chime:GetMeeting', expect: 'Allow' },                                    true ],
  ['an Allow by the statement with a Sid',         { principal: 'user', action: 'chime:GetMeeting', expect: 'Allow', by: 'get#Look' },                    true ],
  ['an Allow by the statement counted from 0',     { principal: 'user', action: 'chime:GetMeeting', expect: 'Allow', by: 'get#0' },                       true ],
  ['an Allow by another policy',                   { principal: 'user', action: 'chime:GetMeeting', expect: 'Allow', by: 'all' },                         false],
  ['an Allow that is a denial',                    { principal: 'user', action: 'iam:GetUser', expect: 'Allow' },                                         false],
  ['a Deny of either kind',                        { principal: 'user', action: 'iam:GetUser', expect: 'Deny' },                                          true ],
  ['an implicit denial taken for an explicit one', { principal: 'user', action: 'iam:GetUser', expect: 'ExplicitDeny' },                                  false],
  ['the layer that is missing',                    { principal: 'bounded', action: 'iam:GetUser', expect: 'ImplicitDeny', missing: 'boundary' },          true ],
  ['another layer than the missing one',           { principal: 'bounded', action: 'iam:GetUser', expect: 'ImplicitDeny', missing: 'identity' },          false],
  ['a session policy that allows nothing',         { principal: 'passed', action: 'iam:GetUser', expect: 'ImplicitDeny', missing: 'session' },            true ],
  ['an explicit denial of a level',                { principal: 'governed', action: 'iam:GetUser', expect: 'ExplicitDeny', by: 'guard#0' },               true ],
  ['a root, who needs no policy',                  { principal: 'root', action: 'iam:GetUser', expect: 'Allow' },                                         true ],
  ['a trust policy that names the account',        { principal: 'user', action: 'sts:AssumeRole', trust: 'trust', expect: 'Allow', by: 'trust#In' },     true ],
  ['a trust policy and a stranger',                { principal: 'stranger', action: 'sts:AssumeRole', trust: 'trust', expect: 'ImplicitDeny' },           true ],
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
  ['no JSON',                       '{',                                                                                       /^line 1: /],
  ['a list',                        '[]',                                                                                      /is an object/],
  ['nothing',                       '{}',                                                                                      /needs policies/],
  ['a mistyped member',             JSON.stringify({ policies, principals, requests: [{ principal: 'user', action: 'a:b', expect: 'Deny', contxt: {} }] }), /has no contxt/],
  ['an unknown principal',          JSON.stringify({ policies, principals, requests: [{ principal: 'x', action: 'a:b', expect: 'Deny' }] }), /no principal x/],
  ['an unknown policy',             JSON.stringify({ policies, principals: { p: { identity: 'x' } }, requests: [{ principal: 'p', action: 'a:b', expect: 'Deny' }] }), /policy x/],
  ['an expectation that is none',   JSON.stringify({ policies, principals, requests: [{ principal: 'user', action: 'a:b', expect: 'Maybe' }] }), /not Maybe/],
  ['a policy that is none',         JSON.stringify({ policies: { p: { Statement: { Effect: 'Allow' } } }, principals: { a: {} }, requests: [{ principal: 'a', action: 'a:b', expect: 'Deny' }] }), /The policy p, line 1/],
  ['a managed policy without source', JSON.stringify({ policies: { p: 'arn:aws:iam::aws:policy/X' }, principals: { a: {} }, requests: [{ principal: 'a', action: 'a:b', expect: 'Deny' }] }), /p is not found/],
  ['a repeated name',               '{"title":"a","title":"b"}',                                                               /repeated/],
];

for (const [title, text, problem] of PROBLEMS) {
  test(`runPolicyTest: ${title} is a problem, and fails`, () => {
    const report = runPolicyTest(text);
    assert.equal(report.passed, false);
    assert.ok(
      report.problems.some((found) => problem.test(found)),
      report.problems.join('\n'),
    );
  });
}

test('runPolicyTest: coverage counts how often each statement decided', () => {
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

test('runPolicyTest: where every statement must decide, one that does not fails the test', () => {
  const request = { principal: 'user', action: 'chime:GetMeeting', expect: 'Allow' };
  assert.equal(run(request, { everyStatementDecides: true }).passed, false);
  assert.equal(
    run(request, { everyStatementDecides: true, policies: { get: policies.get }, principals: { user: principals.user } }).passed,
    true,
  );
});

test('tapLines: a failure says what was expected and what came, and no title breaks the stream', () => {
  const report = run({ title: 'a\nok 9 # SKIP', principal: 'user', action: 'iam:GetUser', expect: 'Allow' });
  const lines = tapLines('a.json', report, 5);
  assert.equal(lines[1], 'not ok 5 - a ok 9 \\# SKIP');
  assert.equal(lines[3], '  expected: "Allow"');
  assert.equal(lines[4], '  actual: "ImplicitDeny, because the identity policies do not allow it on *"');
  assert.equal(lines.filter((line) => /^(not )?ok/.test(line)).length, tapPoints(report));
});

test('runPolicyTest: any characters end in a report, never in an exception', () => {
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
