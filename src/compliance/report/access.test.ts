/** The allowed actions of a report against the decisions of the policy engine, for generated policies. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compilePolicy, decide, linkStack, type SourcedPolicy } from '#policy/engine.ts';
import { allowedActions } from './access.ts';
import { hasBit, knownServices } from './action-sets.ts';

const ACTIONS = ['chime:CreateMeeting', 'chime:GetMeeting', 'iam:GetUser', 'iam:GetRole', 'sts:AssumeRole'] as const;
const PATTERNS = ['*', 'chime:*', 'chime:Get*', 'IAM:get*', 'iam:GetUser', 's?s:*', 'chime:?reateMeeting', 'none:*'] as const;

const statement = fc.record({
  Effect: fc.constantFrom('Allow', 'Deny'),
  isNot: fc.boolean(),
  patterns: fc.uniqueArray(fc.constantFrom(...PATTERNS), { minLength: 1, maxLength: 3 }),
  Resource: fc.constantFrom('*', 'arn:aws:x:::a'),
  isConditional: fc.boolean(),
});
const policies = fc.array(fc.array(statement, { minLength: 1, maxLength: 3 }), { maxLength: 2 });
/** A principal has one boundary at most. */
const onePolicy = fc.array(fc.array(statement, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 1 });

type Statements = readonly {
  readonly Effect: string;
  readonly isNot: boolean;
  readonly patterns: readonly string[];
  readonly Resource: string;
  readonly isConditional: boolean;
}[];

function compiled(documents: readonly Statements[]): readonly SourcedPolicy[] {
  return documents.map((statements, i) => {
    const Statement = statements.map(({ Effect, isNot, patterns, Resource, isConditional }) => ({
      ...{ Effect, Resource, [isNot ? 'NotAction' : 'Action']: patterns },
      ...(isConditional && { Condition: { StringEquals: { 'aws:username': 'ada' } } }),
    }));
    return { policyId: `p${i}`, policy: compilePolicy(JSON.stringify({ Version: '2012-10-17', Statement })) };
  });
}

function bitOf(action: string): number {
  const [prefix, name] = action.split(':') as [string, string];
  const service = knownServices().find((each) => each.prefix === prefix) ?? assert.fail(action);
  return service.firstBit + service.names.indexOf(name);
}

test('allowedActions: an action is allowed if the engine allows a request, and never if each request is denied for certain', () => {
  fc.assert(
    fc.property(policies, fc.option(onePolicy, { nil: undefined }), fc.option(policies, { nil: undefined }), (own, boundary, scp) => {
      const layers = {
        identity: compiled(own),
        ...(boundary && { boundary: compiled(boundary) }),
        ...(scp && { serviceControl: [compiled(scp)] }),
      };
      const allowed = allowedActions(layers);
      const stack = linkStack(layers);
      const isAllowed = (action: string) =>
        ['*', 'arn:aws:x:::a', 'arn:aws:x:::b'].some((resource) =>
          [new Map([['aws:username', 'ada']]), new Map<string, string>()].some(
            (context) => decide(stack, { action, resources: [resource], context }).effect === 'Allow',
          ),
        );
      for (const action of ACTIONS) if (isAllowed(action)) assert.ok(hasBit(allowed, bitOf(action)), action);
      // Without resources, conditions and Deny statements, both are equal.
      const all = [...own, ...(boundary ?? []), ...(scp ?? [])].flat();
      if (all.every(({ Resource, isConditional }) => Resource === '*' && !isConditional))
        for (const action of ACTIONS) assert.equal(hasBit(allowed, bitOf(action)), isAllowed(action), action);
    }),
  );
});

test('knownServices: no two actions have one bit', () => {
  const bits = knownServices().flatMap(({ names, firstBit }) => names.map((_, i) => firstBit + i));
  assert.equal(new Set(bits).size, bits.length);
  assert.ok(bits.length > 500);
});
