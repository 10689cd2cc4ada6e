import type { AccountId } from '#core/arn.ts';
import type { ConditionContext } from '#core/condition-context.ts';
import { header, type RequestFacts } from '#core/exchange.ts';
import { type Instant, isoSeconds } from '#core/instant.ts';
import type { Principal } from '#core/principal.ts';
import { type Tags, tagContextOf } from '#core/tag-keys.ts';

/** Condition context under construction. */
export type WritableContext = Map<string, string | readonly string[]>;

/** Values of `aws:PrincipalType`. Source: IAM User Guide, global condition keys; requirement CTX-1. */
const PRINCIPAL_TYPE: Readonly<Record<Principal['type'], string>> = {
  Root: 'Account',
  IAMUser: 'User',
  AssumedRole: 'AssumedRole',
  FederatedUser: 'FederatedUser',
  AWSService: 'AWSService',
  Unknown: 'Anonymous',
};

/**
 * Maximum length of a header value in the context, in characters. It bounds the cost of matching patterns.
 * Assumed: CloudTrail's limit of 1 KB for a user agent.
 */
const HEADER_VALUE_MAX = 1024;

/** Position of an account in an organization. */
export interface OrganizationFacts {
  readonly organizationId: string;
  /** Path without the account: `o-…/r-…/ou-…/`. */
  readonly path: string;
  readonly managementAccountId: AccountId;
}

/** Facts of the caller that the context contains. */
export interface ContextCaller {
  readonly principal: Principal;
  /** Tags of the caller's user or role, without session tags. */
  readonly tags: Tags;
  readonly organization: OrganizationFacts | undefined;
}

/**
 * Returns the global context keys of a request, in lower case. Requirements §3.4, AUTHN-5, CTX-1 to CTX-3.
 *
 * The listener determines `aws:SourceIp` and `aws:SecureTransport`. Only the headers of a trusted proxy can change them.
 */
export function requestContext(
  received: RequestFacts,
  { principal, tags, organization }: ContextCaller,
  region: string,
  now: Instant,
): WritableContext {
  const context: WritableContext = new Map<string, string | readonly string[]>([
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
  // For a role session, this is the ARN of the role with its path, and never the ARN of the session. policy-engine.md 48.
  context.set('aws:principalarn', principal.type === 'AssumedRole' ? principal.roleArn : principal.arn);
  context.set('aws:userid', principal.principalId);
  if (principal.type === 'IAMUser') context.set('aws:username', principal.userName);
  if (organization !== undefined) {
    context.set('aws:principalorgid', organization.organizationId);
    context.set('aws:principalorgpaths', [organization.path]);
  }
  for (const [key, value] of tagContextOf('aws:principaltag/', tags)) context.set(key, value);
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

/** Adds the context keys of an operation. The classic profile has no tag keys. Requirement TAG-2. */
export function addOperationContext(context: WritableContext, added: ConditionContext | undefined, profile: 'classic' | 'sdk'): void {
  for (const [key, value] of added ?? []) {
    if (profile === 'sdk' || !TAG_KEYS.test(key)) context.set(key, value);
  }
}

/** Adds the organization of the resource's account. */
export function addOwnerFacts(context: WritableContext, organization: OrganizationFacts | undefined): void {
  if (organization === undefined) return;
  context.set('aws:resourceorgid', organization.organizationId);
  context.set('aws:resourceorgpaths', [organization.path]);
}
