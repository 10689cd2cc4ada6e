/**
 * Repeats decisions from their stored contexts, with the code of the server and with identity as of the version of the
 * decision.
 */

import { type ExplainedDecision, explainDecision } from '#access/past/explained-decision.ts';
import { decideAgain } from '#access/past/past-decision.ts';
import { pastReader, readPast } from '#access/past/past-identity.ts';
import { callerOf, requestOf } from '#access/past/past-request.ts';
import type { AccountId } from '#core/arn.ts';
import type { Principal } from '#core/principal.ts';
import type { Store } from '#store/store.ts';
import type { DecisionContext } from '#store/trail/decision-context.ts';
import type { DecidedRow } from '#store/trail/trail-pack.ts';
import { trailPolicies } from '#store/trail/trail-policy.ts';

/** Returns all records of a store with their contexts, in the order of commits. */
export async function decisionsOf(store: Store): Promise<readonly DecidedRow[]> {
  const found: DecidedRow[] = [];
  for (let position = 0, more = true; more; ) {
    const page = await store.transaction((tx) => tx.trail.decisionsSince(position, 100));
    found.push(...page.rows);
    more = page.rows.length > 0;
    position = page.position;
  }
  return found;
}

/** Repeats decisions. */
export interface Replay {
  /** Returns the caller of a context. */
  callerOf(context: DecisionContext): Promise<Principal>;
  /** Decides the request of a context again. Returns the context of the new decision. */
  again(context: DecisionContext): Promise<DecisionContext | undefined>;
}

/** Creates the replay of a store's decisions. */
export function replaying(store: Store): Replay {
  return {
    callerOf: (context) => store.transaction((tx) => callerOf(tx, context)),
    again: (context) =>
      store.transaction(async (tx) => {
        const request = requestOf(context, await callerOf(tx, context), tx.of(trailPolicies).text);
        const { identityVersion } = context;
        const inTx = readPast({ transaction: (work) => work(tx) }, identityVersion);
        return await pastReader(identityVersion, inTx).run((identity) => decideAgain(identity, request, context.caller));
      }),
  };
}

/** Explains a decision of a store for an account. */
export async function explainedOf(store: Store, context: DecisionContext, viewer: AccountId): Promise<ExplainedDecision> {
  const principal = await store.transaction((tx) => callerOf(tx, context));
  const policyText = (hash: string) => store.transaction((tx) => tx.of(trailPolicies).text(hash));
  return await explainDecision({ records: readPast(store, context.identityVersion), policyText }, { context, principal, viewer });
}
