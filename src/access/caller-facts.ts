import type { Principal } from '#core/principal.ts';
import type { Tags } from '#core/tag-keys.ts';
import type { PolicyStack } from '#policy/engine.ts';
import type { OrganizationFacts } from './context.ts';
import { organizationFacts } from './service-control.ts';
import type { Snapshot } from './snapshot.ts';
import type { Stacks } from './stacks.ts';
import { ambiguousPrincipalTags } from './tag-facts.ts';

/** Facts of a caller that are the same for all of its requests until identity changes. */
export interface CallerFacts {
  readonly principal: Principal;
  /** Linked policies. Absent for an unsigned request. */
  readonly stack: PolicyStack | undefined;
  /** Current tags of the caller's user or role, without session tags. */
  readonly tags: Tags;
  /** Condition keys of the caller's tags that differ only in case. */
  readonly ambiguousKeys: readonly string[];
  readonly organization: OrganizationFacts | undefined;
}

const NO_TAGS: Tags = {};

/** Creates the function that returns the facts of a caller. */
export function callersOf(snapshot: Snapshot, stacks: Stacks): (principal: Principal) => CallerFacts {
  return (principal) => {
    const isKnown = principal.type !== 'Unknown';
    const tags = tagsOf(snapshot, principal);
    return {
      principal,
      stack: isKnown ? stacks.stackOf(principal) : undefined,
      tags,
      ambiguousKeys: ambiguousPrincipalTags(tags, principal.session?.tags),
      organization: isKnown ? organizationFacts(snapshot, principal.accountId) : undefined,
    };
  };
}

/**
 * Returns the current tags of the caller's user or role. Session tags override them.
 *
 * Source: STS API reference, GetFederationToken, "Tags": a session tag takes precedence over the tag of the user, whatever the key's case.
 * Assumed: a federated user has the tags that its issuer has at the time of use, as a role session has those of its role. The session's
 * permissions are the issuer's at that time as well.
 */
function tagsOf(snapshot: Snapshot, principal: Principal): Tags {
  const record =
    principal.type === 'IAMUser'
      ? snapshot.user(principal.accountId, principal.userName)
      : principal.type === 'AssumedRole'
        ? snapshot.role(principal.accountId, principal.roleName)
        : principal.type === 'FederatedUser'
          ? snapshot.userById(principal.issuerId)
          : undefined;
  if (record === undefined || record.tags.length === 0) return NO_TAGS;
  return Object.fromEntries(record.tags.map(({ key, value }) => [key, value]));
}
