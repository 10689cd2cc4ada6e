/** Analyses of policies for scans, which several principals and scans share. */
import { lruMap } from '#core/lru-map.ts';
import { type GrantedActions, grantedActions } from '#policy/analyse/granted-actions.ts';
import { ANALYSIS_STEPS_MAX } from '#policy/analysis.ts';
import { authorizationReference } from '../../kit/authorization-reference.ts';
import { runInTurns } from '../../kit/turns.ts';

/** Number of policies that the cache contains. The quotas of IAM limit a user with ten groups to some 1,000 policies, if these are very short. */
const POLICIES_MAX = 3_000;

/** Cache of the services and actions that policies allow. */
export interface PermissionCache {
  /** Returns what a policy allows, or `undefined` if the policy is not analyzed. */
  readonly of: (document: string) => GrantedActions | undefined;
  /** Adds policies to those that the next `analyzeMissing` analyzes. */
  readonly request: (documents: readonly string[]) => void;
  /** Analyzes the requested policies in turns. Never call it in a transaction. */
  readonly analyzeMissing: () => Promise<void>;
}

/** Creates an empty cache. */
export function permissionCache(): PermissionCache {
  const analyses = lruMap<string, GrantedActions>(POLICIES_MAX);
  const missing = new Set<string>();
  return {
    of: analyses.get,
    request(documents) {
      for (const document of documents) missing.add(document);
    },
    async analyzeMissing() {
      if (missing.size === 0) return;
      const reference = authorizationReference();
      for (const document of missing) {
        missing.delete(document);
        analyses.set(document, await runInTurns(grantedActions(document, reference, { stepsLeft: ANALYSIS_STEPS_MAX })));
      }
    },
  };
}
