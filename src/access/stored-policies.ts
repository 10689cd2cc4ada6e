/** Resource-based policies of decisions, whose texts are stored so that the decisions can be explained. Decision 0044. */
import type { Instant } from '#core/instant.ts';
import { lruMap } from '#core/lru-map.ts';
import type { Tx } from '#store/store.ts';
import { NOTED_MS, trailPolicies } from '#store/trail/trail-policy.ts';
import type { DecisionTrace } from './decision-trace.ts';

/** Maximum number of policies that a server remembers as stored. Each takes about 200 bytes. */
const POLICIES_MAX = 10_000;

/** Stores the resource-based policies of one server's decisions. */
export interface StoredPolicies {
  /** Stores the policies of a decision. Returns `undefined` if there are none, or if this server has stored them in the last day. */
  note(tx: Tx, trace: DecisionTrace, now: Instant): Promise<void> | undefined;
}

/** Creates the stored policies of a server. */
export function storedPolicies(): StoredPolicies {
  const noted = lruMap<string, Instant>(POLICIES_MAX);

  async function write(tx: Tx, policies: ReadonlyMap<string, string>, now: Instant): Promise<void> {
    for (const [hash, text] of policies) await tx.of(trailPolicies).note({ hash, text, notedAt: now });
    tx.afterCommit(() => {
      for (const hash of policies.keys()) noted.set(hash, now);
    });
  }

  return {
    note(tx, { required, also }, now) {
      let policies: Map<string, string> | undefined;
      const all = also.length === 0 ? required : [...required, ...also.map((each) => each.required)];
      for (const { resourcePolicy } of all) {
        if (resourcePolicy === undefined) continue;
        const last = noted.get(resourcePolicy.hash);
        if (last !== undefined && now < last + NOTED_MS) continue;
        policies ??= new Map();
        policies.set(resourcePolicy.hash, resourcePolicy.policy.text);
      }
      return policies && write(tx, policies, now);
    },
  };
}
