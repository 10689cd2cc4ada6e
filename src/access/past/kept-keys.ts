/** Condition keys that a record has only if a policy tested them: those of `s3-keys.ts`. */
import type { Principal } from '#core/principal.ts';
import type { DecisionContext } from '#store/trail/decision-context.ts';
import { callersOf } from '../caller-facts.ts';
import { requiredReading } from '../required-reading.ts';
import { anyReads } from '../tag-facts.ts';
import type { PastIdentity } from './past-identity.ts';
import { NO_TX, type PastRequest } from './past-request.ts';

/** Keys that have no value if the request is not signed. */
const OF_SIGNATURE: ReadonlySet<string> = new Set(['s3:authtype', 's3:signatureversion', 's3:signatureage']);

/** Reports whether a key certainly had no value in a request. */
export function isAbsent({ secureTransport }: DecisionContext, { type }: Principal, key: string): boolean {
  return key === 's3:tlsversion' ? !secureTransport : type === 'Unknown' && OF_SIGNATURE.has(key);
}

/**
 * Reports whether policies test a key for an action of a request. If the policies of then do, the record has the value of the key, or the key had
 * none.
 *
 * @throws FactNotKept  the resource-based policy of then is not stored
 */
export async function testsKey({ snapshot, stacks }: PastIdentity, request: PastRequest, action: string, key: string): Promise<boolean> {
  const caller = callersOf(snapshot, stacks)(request.authenticated.principal);
  for (const asked of request.asked) {
    if (asked.action !== action || asked.always) continue;
    const { resourceTags: _, ...withoutTags } = asked;
    const required = await requiredReading(snapshot, stacks)(request, withoutTags, caller, NO_TX);
    if (!anyReads(required, action, [key])) return false;
  }
  return true;
}
