import type { AccountId } from '#core/arn.ts';
import type { Principal } from '#core/principal.ts';
import { type Tags, tagContextOf } from '#core/tag-keys.ts';
import { type ContextValue, type PolicyStack, truthsOf } from '#policy/engine.ts';
import { type KeyCaller, type KeyOwner, readCallerKey } from './context-keys.ts';
import { type OrganizationFacts, organizationFacts } from './service-control.ts';
import type { Snapshot } from './snapshot.ts';
import type { Stacks } from './stacks.ts';
import { ambiguousPrincipalTags } from './tag-facts.ts';

/** Facts of a caller that are the same for all of its requests until identity changes. */
export interface CallerFacts extends KeyCaller, KeyOwner {
  readonly accountId: AccountId;
  /** Linked policies. Absent for an unsigned request. */
  readonly stack: PolicyStack | undefined;
  /** Condition keys of the caller's tags that differ only in case. */
  readonly ambiguousKeys: readonly string[];
  /** Context keys of the caller's tags, in lower case. Session tags override those of the user or role. */
  readonly tagKeys: () => ReadonlyMap<string, string>;
  /** Bits of the boolean context keys (`FactSource.truths`) for a request over TLS. The next member is for a request over HTTP. */
  readonly truthsOverTls: number;
  readonly truthsOverHttp: number;
}

const NO_TAGS: Tags = {};

/** Function that returns the facts of a caller. */
export type CallerOf = (principal: Principal) => CallerFacts;

/** Creates the function that returns the facts of a caller. It reads them again after each change of identity. */
export function callersOf(snapshot: Snapshot, stacks: Stacks): CallerOf {
  let known = new WeakMap<Principal, CallerFacts>();
  snapshot.watch(() => {
    known = new WeakMap();
  });
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
