import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decide, decideProgram, linkStack, newRequestRecord, programFor, setFacts, tryCompilePolicy } from '#policy/engine.ts';
import { explain } from '#policy/explain.ts';
import { type Dice, diceOf, generateDocument, generatePolicies, generateRequest } from './generate-policies.ts';
import { type CasePolicies, type CaseRequest, decideCase, type PolicyJson, toFacts, toLayers, toRequest } from './policy-case.ts';

interface Drawn {
  readonly dice: Dice;
  readonly policies: CasePolicies;
  readonly request: CaseRequest;
}

/** Defines a test that a property holds for every generated case. */
function holds(title: string, claim: (drawn: Drawn) => void): void {
  test(`engine: ${title}`, () => {
    const seeds = fc.integer({ min: 1, max: 2 ** 30 });
    const property = fc.property(seeds, (seed) => {
      const dice = diceOf(seed);
      claim({ dice, policies: generatePolicies(dice), request: generateRequest(dice) });
    });
    fc.assert(property, { numRuns: 3000, examples: Array.from({ length: 200 }, (_, i) => [i + 1]) });
  });
}

function effectOf(policies: CasePolicies, request: CaseRequest): string {
  const decision = decideCase(policies, request);
  return decision.effect === 'Allow' ? 'Allow' : decision.kind;
}

/** Applies a change to the documents of every policy type. */
function mapDocuments(
  policies: CasePolicies,
  change: (documents: readonly PolicyJson[], type: string) => readonly PolicyJson[],
): CasePolicies {
  const { identity, boundary, session, serviceControl, ...rest } = policies;
  return {
    ...rest,
    identity: change(identity, 'identity'),
    ...(boundary === undefined ? {} : { boundary: change(boundary, 'boundary') }),
    ...(session === undefined ? {} : { session: change(session, 'session') }),
    ...(serviceControl === undefined ? {} : { serviceControl: serviceControl.map((level, i) => change(level, `service-control-${i}`)) }),
  };
}

function statementsOf(document: PolicyJson): readonly unknown[] {
  const statement = document['Statement'];
  return Array.isArray(statement) ? statement : [statement];
}

holds('an explicit Deny wins over every Allow', ({ policies, request }) => {
  const { decision, resources } = explain(toLayers(policies), toRequest(request));
  const denied = resources.some(({ layers }) => layers.some(({ answer }) => answer === 'denies'));
  assert.equal(decision.effect === 'Deny' && decision.kind === 'explicit', denied);
  assert.equal(effectOf(policies, request) === 'explicit', denied);
});

holds('an allowed request has a matching Allow in every policy type', ({ policies, request }) => {
  if (effectOf(policies, request) !== 'Allow') return;
  for (const { layers } of explain(toLayers(policies), toRequest(request)).resources) {
    for (const { policyType, policies: traced } of layers) {
      const allows = traced.some(({ statements }) => statements.some(({ effect, applies }) => effect === 'Allow' && applies));
      assert.ok(allows || (policyType === 'identity' && policies.root === true), policyType);
    }
  }
});

holds('an additional Deny never allows a request', ({ dice, policies, request }) => {
  const denial = { ...generateDocument(dice) };
  const statements = statementsOf(denial).map((statement) => ({ ...(statement as PolicyJson), Effect: 'Deny' }));
  const more = { ...policies, identity: [...policies.identity, { ...denial, Statement: statements }] };
  if (effectOf(policies, request) !== 'Allow') assert.notEqual(effectOf(more, request), 'Allow');
});

holds('boundaries, session policies and service control policies never allow more', ({ policies, request }) => {
  if (effectOf(policies, request) !== 'Allow') return;
  const { identity, root } = policies;
  assert.equal(effectOf({ identity, ...(root === undefined ? {} : { root }) }, request), 'Allow');
});

holds('the order and repetition of policies and statements do not matter', ({ policies, request }) => {
  const reversed = mapDocuments(policies, (documents) =>
    [...documents].reverse().map((document) => {
      const statements = statementsOf(document);
      return { ...document, Statement: [...[...statements].reverse(), ...statements.slice(0, 1)] };
    }),
  );
  const doubled = mapDocuments(policies, (documents) => [...documents, ...documents]);
  const before = effectOf(policies, request);
  assert.deepEqual([effectOf(reversed, request), effectOf(doubled, request)], [before, before]);
});

holds('the reported statements alone give the same decision', ({ policies, request }) => {
  const decision = decideCase(policies, request);
  const reasons = decision.effect === 'Allow' ? decision.by : decision.kind === 'explicit' ? [decision.by] : [];
  const alone = mapDocuments(policies, (documents, type) =>
    documents.map((document, at) => ({
      ...document,
      Statement: statementsOf(document).filter((_, statement) =>
        reasons.some((reason) => reason.policyId === `${type}-${at}` && reason.statement === statement),
      ),
    })),
  );
  if (reasons.length > 0 || policies.root === true) assert.equal(effectOf(alone, request), effectOf(policies, request));
});

const REUSED_RECORD = newRequestRecord();

holds('a reused record gives the same decision as a new one', ({ policies, request, dice }) => {
  const stack = linkStack(toLayers(policies));
  for (const one of [generateRequest(dice), request, generateRequest(dice), request].map(toRequest)) {
    setFacts(REUSED_RECORD, toFacts(one.context));
    assert.deepEqual(decideProgram(programFor(stack, one.action), REUSED_RECORD, one.resources), decide(stack, one));
  }
});

/** Generates JSON with the element names of policies in arbitrary places. */
function policyLike(dice: Dice, depth: number): unknown {
  const names = [
    'Version',
    'Id',
    'Statement',
    'Sid',
    'Effect',
    'Action',
    'NotAction',
    'Resource',
    'NotResource',
    'Principal',
    'Condition',
    'Null',
  ];
  const leaves = [
    'Allow',
    'Deny',
    '*',
    '2012-10-17',
    'a:b',
    'arn:aws:iam::1:user/x',
    '$' + '{aws:username}',
    '$' + '{',
    'IpAddress',
    '',
    5,
    true,
    null,
  ];
  const kind = depth > 5 ? 0 : dice(3);
  if (kind === 0) return leaves[dice(leaves.length)];
  const parts = Array.from({ length: dice(5) }, () => policyLike(dice, depth + 1));
  if (kind === 1) return parts;
  return Object.fromEntries(parts.map((part, i) => [dice(4) === 0 ? `aws:key${i}` : (names[dice(names.length)] as string), part]));
}

test('tryCompilePolicy: any JSON compiles to a usable policy, or to problems with positions', () => {
  let compiled = 0;
  const property = fc.property(fc.integer({ min: 1, max: 2 ** 30 }), (seed) => {
    const dice = diceOf(seed);
    const statements = Array.from({ length: 1 + dice(2) }, () => ({
      Effect: 'Deny',
      Action: '*',
      Resource: '*',
      [dice(2) === 0 ? 'Condition' : 'Principal']: policyLike(dice, 3),
    }));
    const text = JSON.stringify(dice(2) === 0 ? policyLike(dice, 0) : { Version: '2012-10-17', Statement: statements });
    const result = tryCompilePolicy(text);
    if ('problems' in result) {
      assert.ok(
        result.problems.length > 0 && result.problems.every(({ start, end }) => start.offset <= end.offset && end.offset <= text.length),
      );
      return;
    }
    compiled++;
    decide(linkStack({ identity: [{ policyId: 'p', policy: result.policy }] }), toRequest(generateRequest(dice)));
  });
  fc.assert(property, { numRuns: 10_000, seed: 7 });
  assert.ok(compiled > 100, `only ${compiled} documents compiled`);
});
