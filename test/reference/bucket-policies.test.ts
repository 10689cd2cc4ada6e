import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  BUCKET,
  bucketSnapshot,
  callersOf,
  decideBucket,
  OBJECT,
  OTHER,
  OWNER,
  onBucket,
  type WorldPolicies,
} from '#access/bucket-fixture.ts';
import { newStacks } from '#access/stacks.ts';
import type { Principal } from '#core/principal.ts';
import { malformedBucketPolicy } from '#policy/validate/malformed-bucket-policy.ts';
import { authorizationReference } from '#services/kit/authorization-reference.ts';
import { type BucketStatement, decideByDocuments, type Result } from './bucket-policies.ts';

/** Values from which policies and requests are drawn. They are few, so that policies often match requests. */
const ACTIONS = ['s3:GetObject', 's3:PutObject', 's3:ListBucket', 's3:PutBucketPolicy'] as const;
const RESOURCES = [OBJECT, `${BUCKET}/c`, BUCKET];
const names = [OWNER, OTHER].flatMap((accountId) => {
  const { user, roleSession, federated } = callersOf(accountId);
  const root = `arn:aws:iam::${accountId}:root`;
  return [accountId, root, user.arn, user.principalId, roleSession.arn, roleSession.roleArn, roleSession.roleId, federated.arn];
});

const some = <Value>(...values: readonly Value[]) => fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 3 });
const principals = fc.oneof(
  { weight: 4, arbitrary: some(...names).map((AWS) => ({ Principal: { AWS } })) },
  { weight: 1, arbitrary: fc.constant({ Principal: '*' as const }) },
  { weight: 1, arbitrary: fc.constant({ Principal: { AWS: ['*'] } }) },
  { weight: 1, arbitrary: fc.constant({ Principal: { Service: ['cloudtrail.amazonaws.com'] } }) },
  {
    weight: 2,
    arbitrary: fc.uniqueArray(fc.constantFrom(...names), { minLength: 2, maxLength: 9 }).map((AWS) => ({ NotPrincipal: { AWS } })),
  },
);
const actions = fc.oneof(
  some('*', 's3:*', 's3:get*', ...ACTIONS).map((Action) => ({ Action })),
  some('s3:Put*', ...ACTIONS).map((NotAction) => ({ NotAction })),
);
const PATTERNS = [BUCKET, `${BUCKET}/*`, `${BUCKET}/a/*`, `${BUCKET}*`, OBJECT];
const resources = fc.oneof(
  some(...PATTERNS).map((Resource) => ({ Resource })),
  some(...PATTERNS).map((NotResource) => ({ NotResource })),
);
const conditions = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  {
    weight: 1,
    arbitrary: fc
      .record({
        operator: fc.constantFrom('StringEquals', 'StringNotEquals'),
        key: fc.constantFrom('s3:x-amz-acl', 'aws:PrincipalAccount'),
        value: fc.constantFrom('private', OWNER, OTHER),
      })
      .map(({ operator, key, value }) => ({ Condition: { [operator]: { [key]: value } } })),
  },
);
/** `NotPrincipal` is only for a Deny. PutBucketPolicy rejects an Allow with it. */
const statement: fc.Arbitrary<BucketStatement> = fc
  .tuple(fc.constantFrom('Allow', 'Allow', 'Deny'), principals, actions, resources, conditions)
  .map(([Effect, who, ...more]) => Object.assign({ Effect: 'NotPrincipal' in who ? 'Deny' : Effect }, who, ...more) as BucketStatement);
const ofCaller = fc
  .tuple(fc.constantFrom('Allow', 'Allow', 'Allow', 'Deny'), some('*', 's3:*', 's3:Get*', ...ACTIONS), some('*', `${BUCKET}/*`, OBJECT))
  .map(([Effect, Action, Resource]) => JSON.stringify({ Version: '2012-10-17', Statement: { Effect, Action, Resource } }));

const drawn = fc.record({
  world: fc.record(
    { identity: ofCaller, boundary: ofCaller, serviceControl: ofCaller },
    { requiredKeys: [] },
  ) as fc.Arbitrary<WorldPolicies>,
  session: fc.option(ofCaller, { nil: undefined }),
  statements: fc.option(fc.array(statement, { minLength: 1, maxLength: 4 }), { nil: undefined, freq: 6 }),
  caller: fc.constantFrom('user', 'root', 'roleSession', 'federated'),
  accountId: fc.constantFrom(OWNER, OWNER, OTHER),
  action: fc.constantFrom(...ACTIONS),
  resource: fc.constantFrom(...RESOURCES),
});
type Drawn = typeof drawn extends fc.Arbitrary<infer Value> ? Value : never;

/** Returns the result of the server's code, and of the second implementation. */
async function both({ world, session, statements, caller, accountId, action, resource }: Drawn): Promise<readonly [Result, Result]> {
  const snapshot = bucketSnapshot(world);
  const principal: Principal = callersOf(accountId, session)[caller as keyof ReturnType<typeof callersOf>];
  const acl = new Map([['s3:x-amz-acl', 'private']]);
  const policy = statements && JSON.stringify({ Version: '2012-10-17', Statement: statements });
  const { denied } = await decideBucket(snapshot, principal, { ...onBucket(action, resource, policy), context: acl });
  const decision = denied?.decision;
  assert.notEqual(decision?.effect === 'Deny' && decision.kind, 'limit');
  const context = new Map([...acl, ['aws:principalaccount', accountId]]);
  const layers = newStacks(snapshot).layersOf(principal);
  return [
    decision?.effect !== 'Deny' ? 'allow' : (decision.kind as Result),
    decideByDocuments(statements, { principal, layers, ownerId: OWNER, action, resource, context }),
  ];
}

test('bucket policies: the server and the second implementation agree on generated requests', async () => {
  const counts: Record<Result, number> = { allow: 0, implicit: 0, explicit: 0 };
  const property = fc.asyncProperty(drawn, async (each) => {
    const [decided, expected] = await both(each);
    counts[expected] += 1;
    assert.equal(decided, expected);
  });
  await fc.assert(property, { numRuns: 1200 });
  for (const [result, count] of Object.entries(counts)) assert.ok(count > 50, `${count} requests with the result ${result}`);
});

test('bucket policies: an additional Deny never allows, and an additional Allow never denies', async () => {
  const property = fc.asyncProperty(drawn, statement, async (each, more) => {
    const [before] = await both(each);
    const [after] = await both({ ...each, statements: [...(each.statements ?? []), more] });
    if (more.Effect === 'Deny') assert.ok(before === 'allow' || after !== 'allow');
    else assert.ok(before !== 'allow' || after === 'allow');
  });
  await fc.assert(property, { numRuns: 250 });
});

test('bucket policies: the order of statements does not matter', async () => {
  const property = fc.asyncProperty(drawn, async (each) => {
    const reversed = each.statements && [...each.statements].reverse();
    assert.deepEqual(await both(each), await both({ ...each, statements: reversed }));
  });
  await fc.assert(property, { numRuns: 150 });
});

test('PutBucketPolicy: the engine can compile every policy that is valid, and the generated ones often are', () => {
  let valid = 0;
  fc.assert(
    fc.property(fc.array(statement, { minLength: 1, maxLength: 2 }), (statements) => {
      const problem = malformedBucketPolicy(
        JSON.stringify({ Version: '2012-10-17', Statement: statements }),
        'logs',
        authorizationReference(),
      );
      assert.notEqual(problem, 'Invalid policy syntax.');
      if (problem === undefined) valid += 1;
    }),
    { numRuns: 200 },
  );
  assert.ok(valid > 20, `${valid} valid policies`);
});
