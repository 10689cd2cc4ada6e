/**
 * Decisions by a bucket policy, repeated from their stored contexts. The text of the policy is stored with the first record that names it.
 * Decision 0044.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { BUCKET, bucketSnapshot, callersOf, decideBucket, NOW, OBJECT, OTHER, OWNER, onBucket } from '#access/bucket-fixture.ts';
import { decisionContextOf } from '#access/decision-trace.ts';
import { storedCallers } from '#access/stored-callers.ts';
import { storedPolicies } from '#access/stored-policies.ts';
import type { Principal } from '#core/principal.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import { decodeContexts } from '#store/trail/context-reader.ts';
import { encodeContexts } from '#store/trail/context-writer.ts';
import type { DecisionContext } from '#store/trail/decision-context.ts';
import { allow, deny, policy } from '../kit/policy.ts';
import { explainedOf, replaying } from './replay.ts';

const store = await openSqlite(':memory:');
after(() => store.close());

const grant = (AWS: string) => ({ ...allow('s3:GetObject', `${BUCKET}/*`), Principal: { AWS } });
const POLICY = policy(grant(OWNER), grant(OTHER), { ...deny('s3:GetObject', `${BUCKET}/secret`), Principal: '*' });

/** Decides a request of a root user, and returns its context as a reader of the trail gets it. */
async function decided(caller: Principal, resource: string, bucketPolicy: string | undefined, isKept = true): Promise<DecisionContext> {
  const { denied, trace } = await decideBucket(bucketSnapshot({}), caller, onBucket('s3:GetObject', resource, bucketPolicy));
  const context = decisionContextOf(trace, denied?.decision, storedCallers().of(caller).caller);
  if (isKept) await store.transaction(async (tx) => storedPolicies().note(tx, trace, NOW));
  const [stored] = decodeContexts(encodeContexts([{ at: NOW, context }]) as string, [{ at: NOW }]);
  return { ...(stored as DecisionContext), identityVersion: 0 };
}

for (const [title, caller, resource, bucketPolicy, effect] of [
  ['the owner', callersOf(OWNER).root, OBJECT, POLICY, 'Allow'],
  ['another account', callersOf(OTHER).root, OBJECT, POLICY, 'Allow'],
  ['a Deny', callersOf(OWNER).root, `${BUCKET}/secret`, POLICY, 'Deny'],
  ['no bucket policy', callersOf(OTHER).root, OBJECT, undefined, 'Deny'],
] as const) {
  test(`replay: a decision about a bucket, repeated with its policy, is the same: ${title}`, async () => {
    const context = await decided(caller, resource, bucketPolicy);
    assert.equal(context.outcome.effect, effect);
    assert.deepEqual(await replaying(store).again(context), context);
  });
}

test('replay: without the text of the bucket policy, the decision cannot be repeated', async () => {
  const other = policy(grant(OTHER));
  const context = await decided(callersOf(OWNER).root, OBJECT, other, false);
  await assert.rejects(replaying(store).again(context), /is not kept/);
});

for (const [title, caller, bucketPolicy, viewer, denial] of [
  [
    "the owner does not see which policy of another account's caller denies",
    callersOf(OTHER).user,
    POLICY,
    OWNER,
    { kind: 'hidden', of: 'caller' },
  ],
  ['the owner sees that no statement of the bucket policy allows', callersOf(OTHER).user, undefined, OWNER, 'resource'],
  ['the caller sees that its own policies do not allow', callersOf(OTHER).user, POLICY, OTHER, 'identity'],
] as const) {
  test(`explain: ${title}`, async () => {
    const context = await decided(caller, OBJECT, bucketPolicy);
    const { denial: found, caller: name } = await explainedOf(store, context, viewer);
    assert.deepEqual(found?.kind === 'implicit' ? found.missing : found, denial);
    assert.equal(name.includes('arn:'), viewer === OTHER);
  });
}
