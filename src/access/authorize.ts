import { type AccountId, type ArnParts, parseArn } from '#core/arn.ts';
import { AwsError } from '#core/aws-error.ts';
import type { ConditionContext } from '#core/condition-context.ts';
import type { RequestFacts } from '#core/exchange.ts';
import type { Instant } from '#core/instant.ts';
import type { Principal } from '#core/principal.ts';
import type { RequiredAccess } from '#core/required-access.ts';
import { ambiguousTagKeys, type TagPrefix, type Tags, tagContextOf, withStoredSpellings } from '#core/tag-keys.ts';
import { authorizationMessage, type MessageFacts, type MessagePrincipal } from '#policy/authorization-message.ts';
import type { Decision, Denial, OverLimit } from '#policy/decision.ts';
import {
  type CompiledPolicy,
  compilePolicy,
  DECISION_STEPS,
  decideTrust,
  denialOf,
  denialText,
  linkStack,
  newRequestRecord,
  type PolicyStack,
  programFor,
  setContext,
  trustCallerOf,
  trustReadsKey,
} from '#policy/engine.ts';
import { type StepBudget, StepsExceeded } from '#policy/steps.ts';
import type { RoleRecord } from '#store/identity/identity.ts';
import type { Tx } from '#store/store.ts';
import type { Authenticated } from './authenticate.ts';
import { addOperationContext, type OrganizationFacts, requestContext } from './context.ts';
import { organizationFacts } from './service-control.ts';
import type { Snapshot } from './snapshot.ts';
import type { Stacks } from './stacks.ts';

/** Permission that an operation requires, as its table declares it. */
export type Asked = RequiredAccess<Tx>;

/** Request to authorize. */
export interface AuthorizeRequest {
  readonly received: RequestFacts;
  readonly authenticated: Authenticated;
  readonly profile: 'classic' | 'sdk';
  readonly asked: readonly Asked[];
  readonly now: Instant;
  /**
   * Step budget that several consecutive authorizations share. Each must start with at least `DECISION_STEPS` left. Their denials are not
   * explained.
   */
  readonly meter?: StepBudget;
}

declare const proof: unique symbol;

/** Request that all applicable policies allow. Only `authorize` creates one, so no operation runs without authorization. */
export interface Authorized {
  readonly [proof]: true;
  readonly principal: Principal;
  /** ARNs of the allowed resources, without `*`. */
  readonly resources: readonly string[];
  readonly identityVersion: number;
}

/** Denial by policy, with the decision for the trail. */
export class Denied extends AwsError {
  readonly decision: Decision | OverLimit;
  readonly resources: readonly string[];
  /** Explanation that DecodeAuthorizationMessage returns. Absent if none of the caller's policies was evaluated. */
  reasons?: string | undefined;

  constructor(text: string, decision: Decision | OverLimit, resources: readonly string[]) {
    super('AccessDenied', text);
    this.decision = decision;
    this.resources = resources;
  }
}

/**
 * Authorizes a request inside the transaction that executes it, so that a permission withdrawn before the transaction is not honored.
 * Decision 0003.
 *
 * @throws ServiceUnavailable    the server has no lease, so its identity snapshot may be stale
 * @throws InvalidClientTokenId  this kind of session cannot call the service
 * @throws Denied                AccessDenied: a policy denies the request with AWS's message, or the evaluation exceeds its step budget
 */
export type Authorize = (request: AuthorizeRequest, tx: Tx) => Promise<Authorized>;

/** Dependencies of `authorizing`. */
export interface AuthorizeParts {
  readonly snapshot: Snapshot;
  readonly stacks: Stacks;
  /** Reports whether the lease on the snapshot holds. */
  readonly holds: () => boolean;
  /** Maximum steps of one decision. Default: `DECISION_STEPS`, which no valid set of policies reaches. */
  readonly decisionSteps?: number;
}

/** Creates the stage that authorizes each action on each resource with all policy types. Requirements EVAL-1 to EVAL-10. */
export function authorizing({ snapshot, stacks, holds, decisionSteps = DECISION_STEPS }: AuthorizeParts): Authorize {
  /** Request record of the engine, reused by each decision. A decision is synchronous, so one record is enough. */
  const record = newRequestRecord();
  /** Budget of the decisions of the current request. No await separates its assignment from a decision. */
  let meter: StepBudget | undefined;
  function decided(stack: PolicyStack, action: string, resource: string, context: ConditionContext): Decision {
    setContext(record, context);
    return denialOf(programFor(stack, action), record, resource, meter ?? { stepsLeft: decisionSteps }) ?? ALLOW;
  }

  return async ({ received, authenticated, profile, asked, now, meter: shared }, tx) => {
    // No await separates this check from the stack below, so the lease covers the policies that decide.
    if (!holds()) throw new AwsError('ServiceUnavailable', 'The service is unavailable. Please retry.');
    const { principal, region } = authenticated;
    const identityVersion = snapshot.version();
    const allowed: string[] = [];
    let asks = 0;
    const organization = organizationOf(principal);
    const stack = principal.type === 'Unknown' ? undefined : stacks.stackOf(principal);
    const ownTags = tagsOf(principal);
    const principalKeys = [...ambiguousKeys(PRINCIPAL_TAGS, ownTags), ...ambiguousKeys(PRINCIPAL_TAGS, principal.session?.tags)];

    // Checks only the operation itself, which is first. Additional actions (iam:PassRole, iam:CreateServiceLinkedRole) are permissions
    // and not calls of IAM. Source: IAM User Guide, "Grant a user permissions to pass a role to an AWS service".
    // Assumed: the same applies if a feature creates the service-linked role that it needs.
    if (asked[0] !== undefined) refuseBySessionKind(principal, asked[0].action);
    for (const one of asked) {
      if (one.always) {
        asks += 1;
        continue;
      }
      // `resolve` may return no resources, which requires nothing more. An empty `resources` list means `*`.
      const resources =
        profile === 'classic' && one.action.startsWith('chime:')
          ? ANY
          : one.resolve
            ? await one.resolve(tx)
            : one.resources.length === 0
              ? ANY
              : one.resources;
      const context = requestContext(received, principal, ownTags, region, now, organization);
      addOperationContext(context, one.context, profile);
      if (one.resolveContext) addOperationContext(context, await one.resolveContext(tx, now), profile);
      const role = one.trustPolicyOf === undefined ? undefined : roleOf(one.trustPolicyOf);
      const documents: Documents = {
        ...(stack !== undefined && { stack }),
        ...(role !== undefined && { trust: stacks.trustOf(role) }),
      };
      const tags =
        one.resourceTags && profile === 'sdk' && anyReads(documents, one.action, tagPrefixesOf(one, context))
          ? await one.resourceTags(tx)
          : undefined;

      for (let i = 0; i < resources.length; i++) {
        asks += 1;
        const resource = resources[i] as string;
        const parts = resource === '*' ? undefined : parseArn(resource);
        const owner = resource === '*' ? undefined : (parts?.accountId ?? '');
        // Copies the context because the facts of one resource do not apply to another. The last resource can use the original.
        const base = i + 1 < resources.length ? new Map(context) : context;
        if (owner) base.set('aws:resourceaccount', owner);
        const organizationOfOwner = owner === principal.accountId ? organization : organizationFacts(snapshot, owner as AccountId);
        const others = owner !== undefined && owner !== principal.accountId;
        const whole = withOwnersFacts(others ? new Map(base) : base, one, parts, tags?.[i], organizationOfOwner);
        const managed = parts?.service === 'organizations' && owner === organization?.managementAccountId;
        const seen: Seen = { whole, known: others && !managed ? base : whole };
        const ambiguous = [...principalKeys, ...ambiguousKeys(RESOURCE_TAGS, tags?.[i])];
        meter = shared;
        const refusal = withinSteps(principal, one, resource, () =>
          anyReads(documents, one.action, ambiguous)
            ? ambiguity(principal, one, resource, others)
            : one.trustPolicyOf !== undefined
              ? throughTrust(principal, documents, role, one, resource, seen)
              : byPolicies(principal, stack, one, resource, owner, seen.known),
        );
        if (refusal !== undefined) {
          const { denied, context: evaluated = seen.known } = refusal;
          if (stack !== undefined && shared === undefined && denied.decision.effect === 'Deny' && denied.decision.kind !== 'limit') {
            denied.reasons = reasonsOf({
              principal: messagePrincipalOf(principal),
              action: one.action,
              resource,
              decision: denied.decision,
              layers: stacks.layersOf(principal),
              context: evaluated,
              shown: others ? base : whole,
              ...(documents.trust !== undefined && { trust: documents.trust }),
            });
          }
          throw denied;
        }
        if (resource !== '*') allowed.push(resource);
      }
    }
    // An operation that requires no permission is a bug, and must not be allowed.
    if (asks === 0) throw new Error('the operation requires no permission');
    return { principal, resources: allowed, identityVersion } as unknown as Authorized;
  };

  /**
   * Returns the current tags of the caller's user or role. Session tags override them.
   *
   * Source: STS API reference, GetFederationToken, "Tags": a session tag takes precedence over the tag of the user, whatever the key's case.
   * Assumed: a federated user has the tags that its issuer has at the time of use, as a role session has those of its role. The session's
   * permissions are the issuer's at that time as well.
   */
  function tagsOf(principal: Principal): Readonly<Record<string, string>> {
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

  function byPolicies(
    principal: Principal,
    stack: PolicyStack | undefined,
    { action, called }: Asked,
    resource: string,
    owner: string | undefined,
    context: ConditionContext,
  ): Refusal | undefined {
    if (stack === undefined) return { denied: denied(principal, action, resource, NOBODY, called) };
    const decision = decided(stack, action, resource, context);
    if (decision.effect === 'Deny') return { denied: denied(principal, action, resource, decision, called) };
    // No policy of the owner can allow the request, because resources have no resource policies. Requirement EVAL-8.
    if (owner === undefined || owner === principal.accountId || isOfAws(resource) || isOwnOrganizations(principal, resource))
      return undefined;
    const refused = implicit('resource', resource);
    // Source: the message of the real service in users' reports, such as serverless/serverless issue 3374.
    if (action === 'iam:PassRole') return { denied: new Denied('Cross-account pass role is not allowed.', refused, [resource]) };
    return { denied: denied(principal, action, resource, refused, called) };
  }

  function organizationOf(principal: Principal): OrganizationFacts | undefined {
    return principal.type === 'Unknown' ? undefined : organizationFacts(snapshot, principal.accountId);
  }

  /**
   * Reports whether a resource of the management account belongs to the caller's organization, or is a handshake.
   *
   * Members may call operations on resources of their organization, and an invited account may answer a handshake. The operations of
   * Organizations make the remaining checks.
   */
  function isOwnOrganizations(principal: Principal, resource: string): boolean {
    const parts = parseArn(resource);
    if (parts?.service !== 'organizations') return false;
    return parts.resource.startsWith('handshake/') || parts.accountId === organizationOf(principal)?.managementAccountId;
  }

  /**
   * Decides `sts:AssumeRole` and related actions with the caller's policies and the role's trust policy.
   *
   * - In the role's account, a trust policy that names the caller is sufficient. If it names the account, the caller's policies must also
   *   allow the action.
   * - Across accounts, both must allow the action.
   * - The trust policy reads all facts of the role. The caller's policies read the facts of another account's role only after the trust
   *   policy allows the caller. Otherwise the response could reveal them.
   * - If another account's role does not trust the caller, the response is the same as for an unknown role.
   *
   * Requirements STS-4, STS-5, EVAL-7, SLR-10.
   */
  function throughTrust(
    principal: Principal,
    { stack, trust: trustPolicy }: Documents,
    role: RoleRecord | undefined,
    { action }: Asked,
    resource: string,
    { whole, known }: Seen,
  ): Refusal | undefined {
    if (principal.type === 'Root') {
      return { denied: new Denied('Roles may not be assumed by root accounts.', implicit('trust', resource), [resource]) };
    }
    const request = { action, resources: [resource], context: whole };
    const trust =
      trustPolicy && decideTrust(trustPolicy, trustCallerOf(principal), request, 'trust', meter ?? { stepsLeft: decisionSteps });
    const context = trust?.effect === 'Allow' ? whole : known;
    const own = stack === undefined ? undefined : decided(stack, action, resource, context);
    if (own?.effect === 'Deny' && own.kind === 'explicit') return { denied: denied(principal, action, resource, own), context };

    const decision: Denial =
      trust?.effect === 'Deny' && trust.kind === 'explicit' && role?.accountId === principal.accountId
        ? { effect: 'Deny', kind: 'explicit', by: trust.by, policyType: 'trust', resource }
        : implicit('trust', resource);
    if (stack === undefined) {
      // Unsigned request: the token identifies the caller, and only the trust policy is evaluated. policy-engine.md 57.
      return trust?.effect === 'Allow' ? undefined : { denied: bare(principal, action, resource, decision) };
    }
    if (decision.kind === 'explicit') return { denied: denied(principal, action, resource, decision) };
    const named = trust?.effect === 'Allow' && role?.accountId === principal.accountId ? trust.grantee : 'account';
    if (own?.effect === 'Deny') {
      const remaining = named === 'account' ? own : layersAfterGrant(principal, named, own, action, resource, context);
      return remaining && { denied: denied(principal, action, resource, remaining), context };
    }
    return trust?.effect === 'Allow' ? undefined : { denied: bare(principal, action, resource) };
  }

  /**
   * Returns the part of a denial that still applies if a trust policy in the same account allows the caller.
   *
   * If the trust policy names the principal itself, only service control policies still apply. If it names the role of a session, the
   * boundary and the session policies also apply. The denial may not mention them, because the identity policies denied first.
   * Requirement EVAL-7.
   */
  function layersAfterGrant(
    principal: Principal,
    named: 'principal' | 'role',
    own: Extract<Denial, { kind: 'implicit' }>,
    action: string,
    resource: string,
    context: ConditionContext,
  ): Denial | undefined {
    if (own.missing === 'service-control') return own;
    if (named === 'principal') return undefined;
    const stack = linkStack({ ...stacks.layersOf(principal), identity: EVERYTHING });
    const rest = decided(stack, action, resource, context);
    return rest.effect === 'Deny' ? rest : undefined;
  }

  function roleOf(roleArn: string): RoleRecord | undefined {
    const parts = parseArn(roleArn);
    if (parts === undefined || parts.service !== 'iam' || !parts.resource.startsWith('role/')) return undefined;
    const role = snapshot.role(parts.accountId as AccountId, parts.resource.slice(parts.resource.lastIndexOf('/') + 1));
    return role?.arn === roleArn ? role : undefined;
  }
}

/**
 * Maximum steps of the explanation of one denial, which take a few milliseconds. The explanation runs in the transaction and blocks other
 * callers. The limit is sufficient for 30,000 characters of policies, and for more if earlier denials have already parsed them.
 */
const EXPLAINED_STEPS_MAX = 1_000_000;

/** Explains a denial. Returns `undefined` if the policies are too long to be explained within `EXPLAINED_STEPS_MAX`. */
function reasonsOf(facts: Omit<MessageFacts, 'budget'>): string | undefined {
  try {
    return authorizationMessage({ ...facts, budget: { stepsLeft: EXPLAINED_STEPS_MAX } });
  } catch (error) {
    if (error instanceof StepsExceeded) return undefined;
    throw error;
  }
}

/** Replacement of the identity policies if a trust policy grants the action directly. */
const EVERYTHING = [
  {
    policyId: 'the grant',
    policy: compilePolicy('{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}'),
  },
];
/** Runs a decision. Returns a denial if it exceeds its step budget. */
function withinSteps(
  principal: Principal,
  { action, called }: Asked,
  resource: string,
  decide: () => Refusal | undefined,
): Refusal | undefined {
  try {
    return decide();
  } catch (error) {
    if (!(error instanceof StepsExceeded)) throw error;
    return { denied: denied(principal, action, resource, { effect: 'Deny', kind: 'limit', resource }, called) };
  }
}

const ALLOW: Decision = { effect: 'Allow', by: [] };
const ANY: readonly string[] = ['*'];

/**
 * Reports whether an ARN names a policy of AWS, which every account can use. No other ARN without an account can belong to the caller.
 *
 * Source: Service Authorization Reference: `arn:aws:iam::aws:policy/…`, and `awspolicy` of Organizations.
 */
function isOfAws(resource: string): boolean {
  return resource.startsWith('arn:aws:iam::aws:policy/') || resource.startsWith('arn:aws:organizations::aws:policy/');
}
const NO_TAGS: Readonly<Record<string, string>> = {};
const NOBODY: Denial = { effect: 'Deny', kind: 'implicit', missing: 'identity', resource: '*' };

function implicit(missing: 'trust' | 'resource' | 'identity', resource: string): Denial & { readonly kind: 'implicit' } {
  return { effect: 'Deny', kind: 'implicit', missing, resource };
}

function denied(principal: Principal, action: string, resource: string, decision: Denial | OverLimit, called = resource): Denied {
  const text = denialText({ principalArn: principal.arn, action, resource: called, decision });
  return new Denied(text, decision, resource === '*' ? [] : [resource]);
}

/**
 * Returns a denial without a reason clause, which is the same for an unknown role and for a role that does not trust the caller.
 * `decision` is for the trail. Requirement STS-4.
 */
function bare(principal: Principal, action: string, resource: string, decision: Denial = implicit('trust', resource)): Denied {
  // For the caller of an unsigned request, the real service names neither the caller nor the role.
  if (principal.type === 'Unknown') return new Denied(`Not authorized to perform ${action}`, decision, [resource]);
  return new Denied(`User: ${principal.arn} is not authorized to perform: ${action} on resource: ${resource}`, decision, [resource]);
}

/** Documents that decide one action of a request. If you add a kind of document, extend `anyReads` too. */
interface Documents {
  /** Absent for an unsigned request. Its layers are all policies of the caller: identity, boundary, session, service control. */
  readonly stack?: PolicyStack;
  /** The trust policy of the role that the action assumes. */
  readonly trust?: CompiledPolicy;
}

const AWS_RESOURCE_TAGS: readonly TagPrefix[] = ['aws:resourcetag/'];
const RESOURCE_TAGS: readonly TagPrefix[] = ['aws:resourcetag/', 'iam:resourcetag/'];
const PRINCIPAL_TAGS: readonly TagPrefix[] = ['aws:principaltag/'];

/**
 * Reports whether any of the documents reads a key with one of the prefixes.
 *
 * Facts that require a lookup are loaded only if this returns true. So it must cover all documents: if it missed one, the key would be
 * absent there, and a Deny on the key would not apply.
 */
function anyReads({ stack, trust }: Documents, action: string, prefixes: readonly string[]): boolean {
  return prefixes.some((prefix) => stack?.readsKey(action, prefix) || (trust !== undefined && trustReadsKey(trust, action, prefix)));
}

/**
 * Condition contexts of one resource. `whole` has every fact. The caller's policies read `known`. For a resource of another account, it
 * lacks the owner's facts. Exception: resources of the caller's organization, whose owner is its management account.
 */
interface Seen {
  readonly whole: ConditionContext;
  readonly known: ConditionContext;
}

/** Denial, with the context in which the caller's policies were evaluated. Default: `Seen.known`. */
interface Refusal {
  readonly denied: Denied;
  readonly context?: ConditionContext;
}

/** Adds the owner's facts: the organization of the resource's account, and the resource's tags. */
function withOwnersFacts(
  context: Map<string, string | readonly string[]>,
  { trustPolicyOf }: Asked,
  parts: ArnParts | undefined,
  tags: Readonly<Record<string, string>> | undefined,
  organization: OrganizationFacts | undefined,
): ConditionContext {
  if (organization !== undefined) {
    context.set('aws:resourceorgid', organization.organizationId);
    context.set('aws:resourceorgpaths', [organization.path]);
  }
  if (tags === undefined) return context;
  for (const prefix of parts?.service === 'iam' ? RESOURCE_TAGS : AWS_RESOURCE_TAGS) {
    for (const [key, value] of tagContextOf(prefix, tags)) context.set(key, value);
  }
  const changed = context.get('aws:tagkeys');
  // A request for `team` may replace or remove the tag `Team`, so a Deny on either key must see it. Session tags change no tag of the role.
  if (Array.isArray(changed) && trustPolicyOf === undefined) {
    context.set('aws:tagkeys', withStoredSpellings(changed, Object.keys(tags)));
  }
  return context;
}

function messagePrincipalOf({ principalId: id, arn }: Principal): MessagePrincipal {
  return { id, name: arn.slice(arn.lastIndexOf('/') + 1), arn };
}

/** Returns the prefixes of the keys that require the tags of the resource. `aws:TagKeys` requires them if the request changes tags. */
function tagPrefixesOf({ trustPolicyOf }: Asked, context: ConditionContext): readonly string[] {
  return trustPolicyOf === undefined && context.has('aws:tagkeys') ? [...RESOURCE_TAGS, 'aws:tagkeys'] : RESOURCE_TAGS;
}

/** Returns the condition keys of tags that differ only in case. */
function ambiguousKeys(prefixes: readonly TagPrefix[], tags: Tags = NO_TAGS): readonly string[] {
  const keys = ambiguousTagKeys(Object.keys(tags));
  return keys.length === 0 ? NO_KEYS : prefixes.flatMap((prefix) => keys.map((key) => prefix + key));
}

/**
 * Denies a request whose decision reads a tag with several spellings of its key. Requests cannot store such tags, but older data may have
 * them.
 *
 * A policy could mean either value, and an absent key would satisfy negated tests. So evaluation fails closed. Requirement EVAL-12.
 * For another account's role, the response is that of an unknown role.
 *
 * Source: IAM User Guide, `aws:ResourceTag`: a condition matches either key "but not both".
 * Assumed: AWS does the same.
 */
function ambiguity(principal: Principal, { action, called, trustPolicyOf }: Asked, resource: string, others: boolean): Refusal {
  if (trustPolicyOf !== undefined && (others || principal.type === 'Unknown')) return { denied: bare(principal, action, resource) };
  return { denied: denied(principal, action, resource, implicit('identity', resource), called) };
}

const NO_KEYS: readonly string[] = [];

/**
 * Rejects operations that a kind of session cannot call, regardless of its policies.
 *
 * - Credentials of GetFederationToken cannot call IAM. In STS, they can call only GetCallerIdentity.
 * - Credentials of GetSessionToken can call IAM only with MFA. In STS, they can call only AssumeRole and GetCallerIdentity.
 *
 * @throws InvalidClientTokenId  the action belongs to IAM
 * @throws Denied                the action belongs to STS
 *
 * Source: IAM User Guide, "Comparing the AWS STS API operations"; requirement §2.6. The code of IAM is from users' reports.
 * Assumed: the code of STS.
 */
function refuseBySessionKind(principal: Principal, action: string): void {
  const federated = principal.type === 'FederatedUser';
  const fromUser = (principal.type === 'IAMUser' || principal.type === 'Root') && principal.session !== undefined;
  // The limits do not apply to console sessions. Source: the notes of the same page.
  if ((!federated && !fromUser) || principal.session?.fromConsole) return;
  if (action.startsWith('iam:') && (federated || !principal.session?.mfaAuthenticated)) {
    throw new AwsError('InvalidClientTokenId', 'The security token included in the request is invalid');
  }
  if (!action.startsWith('sts:') || action === 'sts:GetCallerIdentity') return;
  const mayAssume = fromUser && action === 'sts:AssumeRole';
  // GetFederationToken and GetSessionToken reject every session with their own messages. Requirement STS-3.
  const refusesItself = action === 'sts:GetFederationToken' || action === 'sts:GetSessionToken';
  if (!mayAssume && !refusesItself) {
    throw new Denied(`User: ${principal.arn} is not authorized to perform: ${action}`, NOBODY, []);
  }
}
