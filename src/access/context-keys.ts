import { header, type RequestFacts } from '#core/exchange.ts';
import { type Instant, isoSeconds } from '#core/instant.ts';
import type { Principal, SessionFacts } from '#core/principal.ts';
import { type ContextValue, SLOT_KEYS } from '#policy/engine.ts';
import type { OrganizationFacts } from './service-control.ts';

/** Facts about the caller from which context keys are read. */
export interface KeyCaller {
  readonly principal: Principal;
  /** Organization of the caller's account. */
  readonly organization: () => OrganizationFacts | undefined;
}

/** Facts about the resource's owner from which context keys are read. */
export interface KeyOwner {
  /** Account ID in the resource's ARN. Absent for the resource `*`. Empty if the ARN has no account ID. */
  readonly accountId: string | undefined;
  /** Organization of the owner's account. */
  readonly organization: () => OrganizationFacts | undefined;
}

/** Facts of a request from which the global context keys are read. */
export interface KeyFacts {
  readonly received: RequestFacts;
  readonly caller: KeyCaller;
  readonly region: string;
  readonly now: Instant;
  readonly owner: KeyOwner;
  /**
   * Whether the evaluated policies may read the organization of the resource's account, and the resource's tags. All
   * policies may read the account ID of the resource.
   */
  readonly ownerVisible: boolean;
}

/** Function that returns the value of one context key, or `undefined` if the key has no value for the request. */
type Reader = (facts: KeyFacts) => ContextValue | undefined;
type Readers = Readonly<Record<string, Reader>>;

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
 * Assumed: the maximum, which is CloudTrail's limit for a user agent (1 KB).
 */
const HEADER_VALUE_MAX = 1024;

/** Returns the value of a header as conditions test it. `name` is in lower case. */
export function headerValue(received: RequestFacts, name: string): string | undefined {
  return header(received, name)?.slice(0, HEADER_VALUE_MAX);
}

function ofHeader(name: string): Reader {
  return ({ received }) => headerValue(received, name);
}

/** Returns a reader of a fact about the caller. If the request is unsigned, the reader returns `undefined`. */
function ofCaller(read: (principal: Principal) => ContextValue | undefined): Reader {
  return ({ caller: { principal } }) => (principal.type === 'Unknown' ? undefined : read(principal));
}

function ofSession(read: (session: SessionFacts, now: Instant) => ContextValue | undefined): Reader {
  return ({ caller: { principal }, now }) =>
    principal.session === undefined || principal.type === 'Unknown' ? undefined : read(principal.session, now);
}

function text(value: boolean): string {
  return value ? 'true' : 'false';
}

/**
 * Condition keys about a request and its caller. Requirements §3.4, AUTHN-5, CTX-1 to CTX-3.
 *
 * The listener determines `aws:SourceIp` and `aws:SecureTransport`. Only the headers of a trusted proxy can change them.
 */
export const REQUEST_KEYS: Readers = {
  'aws:currenttime': ({ now }) => isoSeconds(now),
  'aws:epochtime': ({ now }) => String(Math.floor(now / 1000)),
  'aws:principaltype': ({ caller }) => PRINCIPAL_TYPE[caller.principal.type],
  'aws:securetransport': ({ received }) => text(received.secureTransport === true),
  'aws:sourceip': ({ received }) => received.sourceIp,
  'aws:requestedregion': ({ region }) => region,
  'aws:viaawsservice': () => 'false',
  'aws:principalisawsservice': ({ caller }) => text(caller.principal.type === 'AWSService'),
  'aws:useragent': ofHeader('user-agent'),
  'aws:referer': ofHeader('referer'),
  'aws:principalaccount': ofCaller(({ accountId }) => accountId),
  // For a role session, this is the ARN of the role with its path, and never the ARN of the session. Source: policy-engine.md 48.
  'aws:principalarn': ofCaller((principal) => (principal.type === 'AssumedRole' ? principal.roleArn : principal.arn)),
  'aws:userid': ofCaller(({ principalId }) => principalId),
  'aws:username': ({ caller: { principal } }) => (principal.type === 'IAMUser' ? principal.userName : undefined),
  'aws:principalorgid': ({ caller }) => caller.organization()?.organizationId,
  'aws:principalorgpaths': ({ caller }) => caller.organization()?.paths,
  // Source: AWS managed policies compare this key with aws:PrincipalAccount, to recognize the management account.
  'aws:principalorgmasteraccountid': ({ caller }) => caller.organization()?.managementAccountId,
  // Source: AWS managed policy AWSMcpServiceActionsFullAccess. Assumed: the key is always present. It is false, because this server has no
  // MCP server.
  'aws:ismcpserviceaction': () => 'false',
};

/** Condition keys about the caller's session. */
export const SESSION_KEYS: Readers = {
  'aws:tokenissuetime': ofSession(({ issuedAt }) => isoSeconds(issuedAt)),
  'aws:multifactorauthpresent': ofSession(({ mfaAuthenticated }) => text(mfaAuthenticated)),
  'aws:multifactorauthage': ofSession(({ mfaAuthenticated, issuedAt }, now) =>
    mfaAuthenticated ? String(Math.floor((now - issuedAt) / 1000)) : undefined,
  ),
  'aws:sourceidentity': ofSession(({ sourceIdentity }) => sourceIdentity),
  'aws:federatedprovider': ofSession(({ federatedProvider }) => federatedProvider),
};

/** Returns a reader of a fact about the organization that the resource's account is in. */
function ofOwner(read: (organization: OrganizationFacts) => ContextValue): Reader {
  return ({ owner, ownerVisible }) => {
    const organization = ownerVisible ? owner.organization() : undefined;
    return organization && read(organization);
  };
}

/** Condition keys about the owner of the resource. */
export const OWNER_KEYS: Readers = {
  'aws:resourceaccount': ({ owner }) => owner.accountId || undefined,
  'aws:resourceorgid': ofOwner(({ organizationId }) => organizationId),
  'aws:resourceorgpaths': ofOwner(({ paths }) => paths),
};

const READERS: Readers = { ...REQUEST_KEYS, ...SESSION_KEYS, ...OWNER_KEYS };

/** Readers by slot, which is the index of the key in `SLOT_KEYS`. */
const BY_SLOT: readonly Reader[] = SLOT_KEYS.map((key) => {
  const reader = READERS[key];
  if (reader === undefined) throw new Error(`the context key '${key}' has a slot, but no function that reads it`);
  return reader;
});

/** Returns the value of a global key by its slot: its index in `SLOT_KEYS`. */
export function readSlot(facts: KeyFacts, slot: number): ContextValue | undefined {
  return (BY_SLOT[slot] as Reader)(facts);
}

/** Owner facts for `*`, which has no owner. */
export const NO_OWNER: KeyOwner = { accountId: undefined, organization: () => undefined };

const NO_REQUEST = {
  received: { requestId: '', rawHeaders: [], sourceIp: '' },
  region: '',
  now: 0 as Instant,
  owner: NO_OWNER,
  ownerVisible: false,
} as const;

/** Returns the value of a key that depends only on the caller. */
export function readCallerKey(caller: KeyCaller, key: string): ContextValue | undefined {
  return READERS[key]?.({ ...NO_REQUEST, caller });
}
