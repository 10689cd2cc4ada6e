import type { AccountId } from '#core/arn.ts';
import type { Principal } from '#core/principal.ts';
import { type Tags, tagContextOf } from '#core/tag-keys.ts';
import { type ContextValue, type PolicyStack, truthsOf } from '#policy/engine.ts';
import { type KeyCaller, type KeyOwner, readCallerKey } from './context-keys.ts';
import { type OrganizationFacts, organizationFacts } from './service-control.ts';
import type { Snapshot } from './snapshot.ts';
import type { Stacks } from './stacks.ts';
import { ambiguousPrincipalTags } from './tag-facts.ts';

/** Facts about a caller. They are the same for all requests of the caller until an identity record changes. */
export interface CallerFacts extends KeyCaller, KeyOwner {
  readonly accountId: AccountId;
  /** Policies of the caller, combined for decisions. Absent for an unsigned request. */
  readonly stack: PolicyStack | undefined;
  /**
   * Condition keys for which the caller has more than one tag, because the keys of these tags differ only in case, such
   * as `Team` and `team`.
   */
  readonly ambiguousKeys: readonly string[];
  /**
   * Values of the caller's tags by condition key in lower case, such as `aws:principaltag/team`. Session tags override
   * the tags of the user or role.
   */
  readonly tagKeys: () => ReadonlyMap<string, string>;
  /**
   * Values of the boolean condition keys, as bits (`FactSource.truths`), for requests over TLS. `truthsOverHttp` has
   * the values for requests over plain HTTP.
   */
  readonly truthsOverTls: number;
  readonly truthsOverHttp: number;
}

const NO_TAGS: Tags = {};

/** Function that returns the facts about a caller. */
export type CallerOf = (principal: Principal) => CallerFacts;

/**
 * Creates the function that returns the facts about a caller. The function caches the facts until an identity record
 * changes.
 */
export function callersOf(snapshot: Snapshot, stacks: Stacks): CallerOf {
  let known = new WeakMap<Principal, CallerFacts>();
  const forget = (): void => {
    known = new WeakMap();
  };
  snapshot.watch({ changed: forget, replaced: forget });
  return (principal) => {
    let facts = known.get(principal);
    if (facts === undefined) known.set(principal, (facts = factsOf(snapshot, stacks, principal)));
    return facts;
  };
}

function factsOf(snapshot: Snapshot, stacks: Stacks, principal: Principal): CallerFacts {
  const isKnown = principal.type !== 'Unknown';
  const tags = tagsOf(snapshot, principal);
  let organization: OrganizationFacts | undefined | null = null;
  let tagKeys: ReadonlyMap<string, string> | undefined;
  const caller: KeyCaller = {
    principal,
    organization: () => {
      if (organization === null) organization = isKnown ? organizationFacts(snapshot, principal.accountId) : undefined;
      return organization;
    },
  };
  const truths = (secureTransport: 'true' | 'false'): number =>
    truthsOf((key): ContextValue | undefined => (key === 'aws:securetransport' ? secureTransport : readCallerKey(caller, key)));
  return {
    ...caller,
    accountId: principal.accountId,
    stack: isKnown ? stacks.stackOf(principal) : undefined,
    ambiguousKeys: ambiguousPrincipalTags(tags, principal.session?.tags),
    tagKeys: () => (tagKeys ??= principalTagKeys(principal, tags)),
    truthsOverTls: truths('true'),
    truthsOverHttp: truths('false'),
  };
}

function principalTagKeys(principal: Principal, tags: Tags): ReadonlyMap<string, string> {
  if (principal.type === 'Unknown') return new Map();
  return new Map([...tagContextOf('aws:principaltag/', tags), ...tagContextOf('aws:principaltag/', principal.session?.tags ?? NO_TAGS)]);
}

/**
 * Returns the current tags of the caller's user or role. Session tags override these tags.
 *
 * Source: STS API reference, GetFederationToken, "Tags": a session tag takes precedence over the tag of the user,
 * whatever the key's case.
 * Assumed: a federated user has the current tags of the IAM user that called GetFederationToken. The reasons are that
 * its permissions depend on the current permissions of that IAM user, and that a role session has the current tags of
 * its role.
 */
function tagsOf(snapshot: Snapshot, principal: Principal): Tags {
  const record =
    principal.type === 'IAMUser'
      ? snapshot.user(principal.accountId, principal.userName)
      : principal.type === 'AssumedRole'
        ? snapshot.role(principal.accountId, principal.roleName)
        : principal.type === 'FederatedUser'
          ? snapshot.userById(principal.accountId, principal.issuerId)
          : undefined;
  if (record === undefined || record.tags.length === 0) return NO_TAGS;
  return Object.fromEntries(record.tags.map(({ key, value }) => [key, value]));
}
