import type { AccountId } from '#core/arn.ts';
import type { ConditionContext } from '#core/condition-context.ts';
import { header, type RequestFacts } from '#core/exchange.ts';
import { type Instant, isoSeconds } from '#core/instant.ts';
import type { Principal } from '#core/principal.ts';
import { tagContextOf } from '#core/tag-keys.ts';

type Writable = Map<string, string | readonly string[]>;

/** `aws:PrincipalType`. Source: IAM User Guide, global condition keys; requirement CTX-1. */
const PRINCIPAL_TYPE: Readonly<Record<Principal['type'], string>> = {
  Root: 'Account',
  IAMUser: 'User',
  AssumedRole: 'AssumedRole',
  FederatedUser: 'FederatedUser',
  AWSService: 'AWSService',
  Unknown: 'Anonymous',
};

/**
 * Characters of a free header that policies see: patterns are matched against them, and that must stay cheap.
 * Assumed: as CloudTrail, which keeps 1 KB of a user agent.
 */
const HEADER_VALUE_MAX = 1024;

/** What a principal's account adds: its place in an organization. */
export interface OrganizationFacts {
  readonly organizationId: string;
  /** `o-…/r-…/ou-…/`, without the account. */
  readonly path: string;
  readonly managementAccountId: AccountId;
}

/**
 * The global context keys of a signed request. Requirements §3.4, AUTHN-5, CTX-1 to CTX-3.
 *
 * The listener determines `aws:SourceIp` and `aws:SecureTransport`: only a trusted proxy's headers can change them.
 */
export function requestContext(
  received: RequestFacts,
  principal: Principal,
  principalTags: Readonly<Record<string, string>>,
  region: string,
  now: Instant,
  organization?: OrganizationFacts,
): Writable {
  const context: Writable = new Map<string, string | readonly string[]>([
    ['aws:currenttime', isoSeconds(now)],
    ['aws:epochtime', String(Math.floor(now / 1000))],
    ['aws:principaltype', PRINCIPAL_TYPE[principal.type]],
    ['aws:securetransport', received.secureTransport ? 'true' : 'false'],
    ['aws:sourceip', received.sourceIp],
    ['aws:requestedregion', region],
    ['aws:viaawsservice', 'false'],
    ['aws:principalisawsservice', principal.type === 'AWSService' ? 'true' : 'false'],
  ]);
  const userAgent = header(received, 'user-agent');
  if (userAgent !== undefined) context.set('aws:useragent', userAgent.slice(0, HEADER_VALUE_MAX));
  const referer = header(received, 'referer');
  if (referer !== undefined) context.set('aws:referer', referer.slice(0, HEADER_VALUE_MAX));
  if (principal.type === 'Unknown') return context;

  context.set('aws:principalaccount', principal.accountId);
  // Of a role session the role's ARN, path included, never the session's. policy-engine.md 48.
  context.set('aws:principalarn', principal.type === 'AssumedRole' ? principal.roleArn : principal.arn);
  context.set('aws:userid', principal.principalId);
  if (principal.type === 'IAMUser') context.set('aws:username', principal.userName);
  if (organization !== undefined) {
    context.set('aws:principalorgid', organization.organizationId);
    context.set('aws:principalorgpaths', [organization.path]);
  }
  for (const [key, value] of tagContextOf('aws:principaltag/', principalTags)) context.set(key, value);
  const { session } = principal;
  if (session === undefined) return context;

  for (const [key, value] of tagContextOf('aws:principaltag/', session.tags)) context.set(key, value);
  context.set('aws:tokenissuetime', isoSeconds(session.issuedAt));
  context.set('aws:multifactorauthpresent', session.mfaAuthenticated ? 'true' : 'false');
  if (session.mfaAuthenticated) context.set('aws:multifactorauthage', String(Math.floor((now - session.issuedAt) / 1000)));
  if (session.sourceIdentity !== undefined) context.set('aws:sourceidentity', session.sourceIdentity);
  if (session.federatedProvider !== undefined) context.set('aws:federatedprovider', session.federatedProvider);
  for (const [key, value] of session.federatedContext ?? []) context.set(key, value);
  return context;
}

const TAG_KEYS = /^aws:(?:requesttag\/|resourcetag\/|tagkeys$)/;

/** Adds what the operation says of its request; on the classic profile no tag key is ever there. Requirement TAG-2. */
export function addOperationContext(context: Writable, added: ConditionContext | undefined, profile: 'classic' | 'sdk'): void {
  for (const [key, value] of added ?? []) {
    if (profile === 'sdk' || !TAG_KEYS.test(key)) context.set(key, value);
  }
}
