// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policy variables
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compilePolicy } from './compile.ts';
import type { SourcedPolicy } from './compiled-policy.ts';
import { explain, type StatementTrace } from './explain.ts';

const CHANNEL = 'arn:aws:chime:us-east-1:111122223333:app-instance/a/channel/b';

function sourced(policyId: string, ...statements: object[]): SourcedPolicy {
  const all = statements.map((one) => ({ Effect: 'Allow', Action: '*', Resource: '*', ...one }));
  return { policyId, policy: compilePolicy(JSON.stringify({ Version: '2012-10-17', Statement: all })) };
}

/** Returns the trace of the only statement of an identity-based policy. */
function traceOf(statement: object, context: Readonly<Record<string, string | readonly string[]>> = {}): StatementTrace {
  const asked = { action: 'chime:CreateChannel', resources: [CHANNEL], context: new Map(Object.entries(context)) };
  const [trace] = explain({ identity: [sourced('p', statement)] }, asked).resources[0]?.layers[0]?.policies[0]?.statements ?? [];
  assert.ok(trace !== undefined);
  return trace;
}

test('explain: if the action does not match, the trace has no results for resource and conditions', () => {
  const { applies, action, resource, conditions } = traceOf({ Action: ['chime:Delete*', 'iam:*'] });
  assert.deepEqual(
    [applies, action.element, action.holds, action.values.map(({ matched }) => matched)],
    [false, 'Action', false, [false, false]],
  );
  assert.deepEqual([resource, conditions], [undefined, []]);
});

test('explain: a trace contains the value of a variable, or the name of a variable without a value', () => {
  const statement = { Resource: 'arn:aws:chime:*:*:app-instance/${aws:PrincipalTag/app}/*' };
  assert.deepEqual(traceOf(statement, { 'aws:principaltag/app': 'a' }).resource?.values, [
    { value: statement.Resource, matched: true, resolved: 'arn:aws:chime:*:*:app-instance/a/*' },
  ]);
  assert.deepEqual(traceOf(statement).resource?.values, [
    { value: statement.Resource, matched: false, unresolved: 'aws:PrincipalTag/app' },
  ]);
});

// biome-ignore format: a table
const CONDITIONS: readonly [title: string, operator: string, value: unknown, request: string | readonly string[] | undefined, holds: boolean, because: string | undefined, matched: readonly boolean[]][] = [
  // case                                                operator                       policy       request     holds  because                                       values
  ['which of several values matched',                    'StringEquals',                ['x', 'y'],  'y',        true,  undefined,                                    [false, true]],
  ['that the key is absent',                             'StringEquals',                ['x'],       undefined,  false, 'key absent',                                 [false]      ],
  ['that IfExists holds if the key is absent',           'StringEqualsIfExists',        ['x'],       undefined,  true,  'key absent',                                 [false]      ],
  ['that a value fails a negated operator',              'StringNotEquals',             ['x'],       'x',        false, undefined,                                    [true]       ],
  ['that a set operator is missing',                     'StringEquals',                ['x'],       ['x'],      false, 'several values without a set operator',      [false]      ],
  ['that an empty value counts as absent',               'ForAllValues:StringEquals',   ['x'],       '',         true,  'no values',                                  [false]      ],
  ['that Null with a set operator is a constant',        'ForAnyValue:Null',            'true',      undefined,  false, 'constant',                                   [false]      ],
  ['that the key is present',                            'Null',                        'true',      'x',        false, 'key present',                                [false]      ],
];

for (const [title, operator, value, request, holds, because, matched] of CONDITIONS) {
  test(`explain: the trace of a condition shows ${title}`, () => {
    const [trace] = traceOf(
      { Condition: { [operator]: { 'my:Key': value } } },
      request === undefined ? {} : { 'my:key': request },
    ).conditions;
    assert.deepEqual([trace?.holds, trace?.because, trace?.values.map((one) => one.matched)], [holds, because, matched]);
    assert.deepEqual([trace?.operator, trace?.key, trace?.requestValue], [operator, 'my:Key', request]);
  });
}

test('explain: if no policy allows, the trace has the closest statement and proposes a new statement', () => {
  const far = { Resource: 'arn:aws:chime:*:*:meeting/*', Condition: { Bool: { 'aws:SecureTransport': 'true' } } };
  const near = { Condition: { Bool: { 'aws:SecureTransport': 'true' } } };
  const { layers } =
    explain({ identity: [sourced('p', far, near)] }, { action: 'chime:CreateChannel', resources: [CHANNEL], context: new Map() })
      .resources[0] ?? {};
  assert.deepEqual(layers?.[0]?.nearest, {
    statement: { policyType: 'identity', policyId: 'p', statement: 1 },
    failing: ['Bool aws:SecureTransport'],
    grant: { Effect: 'Allow', Action: 'chime:CreateChannel', Resource: CHANNEL },
  });
});

test('explain: after adding the proposed statement, the request is allowed', () => {
  const layers = { identity: [sourced('p', { Action: 'iam:*' })], boundary: [sourced('b', {})] };
  const asked = { action: 'chime:CreateChannel', resources: [CHANNEL], context: new Map() };
  const grant = explain(layers, asked).resources[0]?.layers[0]?.nearest?.grant;
  assert.ok(grant !== undefined);
  assert.equal(explain({ ...layers, identity: [...layers.identity, sourced('more', grant)] }, asked).decision.effect, 'Allow');
});

test('explain: each policy type and each level of service control policies has its own trace', () => {
  const deny = { Effect: 'Deny', Action: 'chime:*' };
  const layers = {
    identity: [sourced('p', {})],
    boundary: [sourced('b', { Action: 'iam:*' })],
    serviceControl: [[sourced('s', {})], [sourced('t', {}, deny)]],
  };
  const { decision, resources } = explain(layers, { action: 'chime:CreateChannel', resources: [CHANNEL], context: new Map() });
  assert.deepEqual(
    resources[0]?.layers.map(({ policyType, level, answer }) => [policyType, level, answer]),
    [
      ['service-control', 0, 'allows'],
      ['service-control', 1, 'denies'],
      ['identity', undefined, 'allows'],
      ['boundary', undefined, 'silent'],
    ],
  );
  assert.equal(decision.effect === 'Deny' && decision.kind === 'explicit' && decision.by.policyId, 't');
});
