import { type AccountId, type ArnParts, parseArn } from '#core/arn.ts';
import { AwsError } from '#core/aws-error.ts';
import type { ConditionContext } from '#core/condition-context.ts';
import type { RequestFacts } from '#core/exchange.ts';
import type { Instant } from '#core/instant.ts';
import type { Principal } from '#core/principal.ts';
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

/** What an operation asks for, as its table says; the shape of `Access` in `services/kit/operation.ts`. */
export interface Asked {
  readonly action: string;
  readonly resources: readonly string[];
  readonly called?: string;
  readonly resolve?: (tx: Tx) => Promise<readonly string[]>;
  readonly context?: ConditionContext;
  readonly resolveContext?: (tx: Tx, now: Instant) => Promise<ConditionContext>;
  readonly resourceTags?: (tx: Tx) => Promise<readonly (Readonly<Record<string, string>> | undefined)[]>;
  readonly trustPolicyOf?: string;
  readonly always?: true;
}

export interface AuthorizeRequest {
  readonly received: RequestFacts;
  readonly authenticated: Authenticated;
  readonly profile: 'classic' | 'sdk';
  readonly asked: readonly Asked[];
  readonly now: Instant;
  /**
   * Steps of several authorizations that follow each other on the thread. Each must begin with `DECISION_STEPS` left. Their denials
   * are not explained.
   */
  readonly meter?: StepBudget;
}

declare const proof: unique symbol;

/** A request that every policy in force allows. Only `authorize` makes one, so no operation runs without it. */
export interface Authorized {
  readonly [proof]: true;
  readonly principal: Principal;
  /** What was allowed, ARNs only. */
  readonly resources: readonly string[];
  readonly identityVersion: number;
}

/** A refusal by policy, with the decision for the trail. */
export class Denied extends AwsError {
  readonly decision: Decision | OverLimit;
  readonly resources: readonly string[];
  /** The whole explanation, as DecodeAuthorizationMessage answers it; absent where no policies of the caller's were asked. */
  reasons?: string | undefined;

  constructor(text: string, decision: Decision | OverLimit, resources: readonly string[]) {
    super('AccessDenied', text);
    this.decision = decision;
    this.resources = resources;
  }
}

/**
 * Decides, inside the transaction that will execute, so that what was withdrawn before it runs is not honoured by it. Decision 0003.
 *
 * @throws Denied AccessDenied, in AWS's words with the reason clause, or because the evaluation exceeds its step budget ·
 * @throws AwsError InvalidClientTokenId a kind of session that may not call the service at all ·
 *   ServiceUnavailable nobody can say whether what this server knows is still in force (never an answer by what it knew)
 */
export type Authorize = (request: AuthorizeRequest, tx: Tx) => Promise<Authorized>;

export interface AuthorizeParts {
  readonly snapshot: Snapshot;
  readonly stacks: Stacks;
  /** Whether the lease on the snapshot holds. */
  readonly holds: () => boolean;
  /** Most steps of one decision. Default: `DECISION_STEPS`, which no legal set of policies reaches. */
  readonly decisionSteps?: number;
}

/** Makes the stage that authorizes: every action on every resource, by every layer. Requirements EVAL-1 to EVAL-10. */
export function authorizing({ snapshot, stacks, holds, decisionSteps = DECISION_STEPS }: AuthorizeParts): Authorize {
  /** The engine's scratch, filled anew for each decision: deciding is synchronous, so one is enough. */
  const record = newRequestRecord();
  /** Budget of the decisions of the current request. Between its assignment and a decision nothing is awaited. */
  let meter: StepBudget | undefined;
  function decided(stack: PolicyStack, action: string, resource: string, context: ConditionContext): Decision {
    setContext(record, context);
    return denialOf(programFor(stack, action), record, resource, meter ?? { stepsLeft: decisionSteps }) ?? ALLOW;
  }

  return async ({ received, authenticated, profile, asked, now, meter: shared }, tx) => {
    // From here to the stack below nothing is awaited: what the lease covers is what is decided by.
    if (!holds()) throw new AwsError('ServiceUnavailable', 'The service is unavailable. Please retry.');
    const { principal, region } = authenticated;
    const identityVersion = snapshot.version();
    const allowed: string[] = [];
    let asks = 0;
    const organization = organizationOf(principal);
    const stack = principal.type === 'Unknown' ? undefined : stacks.stackOf(principal);
    const ownTags = tagsOf(principal);
    const principalKeys = [...ambiguousKeys(PRINCIPAL_TAGS, ownTags), ...ambiguousKeys(PRINCIPAL_TAGS, principal.session?.tags)];

    // Only of the operation itself, which is first: what must be allowed besides (iam:PassRole, iam:CreateServiceLinkedRole) is a
    // permission and no call of IAM. Source: IAM User Guide, "Grant a user permissions to pass a role to an AWS service".
    // Assumed: so for the making of service-linked roles by a feature that needs one.
    if (asked[0] !== undefined) refuseBySessionKind(principal, asked[0].action);
    for (const one of asked) {
      if (one.always) {
        asks += 1;
        continue;
      }
      // What is read may say that nothing more is needed; what the input says names something, or is asked about like what has no resource types.
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
        // The last resource may have the context for itself: facts of one resource do not apply to another.
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
    // An operation about which nothing was asked is a fault of ours, and no permission.
    if (asks === 0) throw new Error('an operation asked for no permission at all');
    return { principal, resources: allowed, identityVersion } as unknown as Authorized;
  };

  /**
   * Returns the tags of the user or role that a caller is or is a session of, as they are now. Tags of the session override them.
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
    // Nothing on the owner's side can grant it: Chime has no resource policies, and ours have no other. Requirement EVAL-8.
    if (owner === undefined || owner === principal.accountId || isOfAws(resource) || isOwnOrganizations(principal, resource))
      return undefined;
    const refused = implicit('resource', resource);
    // Source: the text of the real service in users' reports, as in serverless/serverless issue 3374.
    if (action === 'iam:PassRole') return { denied: new Denied('Cross-account pass role is not allowed.', refused, [resource]) };
    return { denied: denied(principal, action, resource, refused, called) };
  }

  function organizationOf(principal: Principal): OrganizationFacts | undefined {
    return principal.type === 'Unknown' ? undefined : organizationFacts(snapshot, principal.accountId);
  }

  /**
   * What an organization owns stands in its management account's name, yet its members ask for it, and an invited account answers a
   * handshake. Who may do what with it, beyond this, the operations of Organizations decide.
   */
  function isOwnOrganizations(principal: Principal, resource: string): boolean {
    const parts = parseArn(resource);
    if (parts?.service !== 'organizations') return false;
    return parts.resource.startsWith('handshake/') || parts.accountId === organizationOf(principal)?.managementAccountId;
  }

  /**
   * Decides `sts:AssumeRole` and its companions by the caller's policies and the role's trust policy together.
   *
   * Trust that names the caller directly is enough in its own account. Trust of the account needs the caller's policies
   * as well, and across accounts both are always needed. The trust policy reads all facts of the role. The caller's policies read those
   * of another account's role only after its trust policy allows the caller, so that no answer before depends on them.
   * A role of another account that does not trust the caller gets the answer of an unknown role, whether its trust policy denies or
   * is silent. Requirements STS-4, STS-5, EVAL-7, SLR-10.
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
      const remaining = named === 'account' ? own : besidesGrant(principal, named, own, action, resource, context);
      return remaining && { denied: denied(principal, action, resource, remaining), context };
    }
    return trust?.effect === 'Allow' ? undefined : { denied: bare(principal, action, resource) };
  }

  /**
   * What of a denial a direct grant in the same account does not make up for. Of who is named itself, only the organization's
   * ceiling; of a session whose role is named, its boundary and session policies besides, which the missing identity policies may
   * have hidden. Requirement EVAL-7.
   */
  function besidesGrant(
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
 * Steps that the explanation of one denial may take. It runs in the transaction, while every other caller waits: a few milliseconds.
 * Attached policies of 30,000 characters in all are explained within it, and longer ones if earlier denials have read them.
 */
const EXPLAINED_STEPS_MAX = 1_000_000;

/** Explains a denial. Returns undefined if the policies are too long to be explained while every other caller waits. */
function reasonsOf(facts: Omit<MessageFacts, 'budget'>): string | undefined {
  try {
    return authorizationMessage({ ...facts, budget: { stepsLeft: EXPLAINED_STEPS_MAX } });
  } catch (error) {
    if (error instanceof StepsExceeded) return undefined;
    throw error;
  }
}

/** In place of the identity policies, where a grant makes up for them. */
const EVERYTHING = [
  {
    policyId: 'the grant',
    policy: compilePolicy('{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}'),
  },
];
/** Returns the refusal of a resource, which is a denial if a decision exceeds its step budget. */
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
 * Policies that AWS owns, for every account. Any other ARN without an account names nothing that the caller could own.
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

/** Without a reason clause: the message for an unknown role and for one that does not trust. `decision` is for the trail. Requirement STS-4. */
function bare(principal: Principal, action: string, resource: string, decision: Denial = implicit('trust', resource)): Denied {
  // For the holder of a provider's token the real service names neither the caller nor the role.
  if (principal.type === 'Unknown') return new Denied(`Not authorized to perform ${action}`, decision, [resource]);
  return new Denied(`User: ${principal.arn} is not authorized to perform: ${action} on resource: ${resource}`, decision, [resource]);
}

/** Documents that one action of a request is decided by. A new kind of document is a member here, and `anyReads` asks it. */
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
 * Checks whether any of the documents reads a key with one of the prefixes. A fact that costs a look-up is loaded if, and only if, this
 * is true: a document that is not asked would read an absent key, and a Deny on the key would not apply.
 */
function anyReads({ stack, trust }: Documents, action: string, prefixes: readonly string[]): boolean {
  return prefixes.some((prefix) => stack?.readsKey(action, prefix) || (trust !== undefined && trustReadsKey(trust, action, prefix)));
}

/**
 * Contexts of one resource. `whole` has every fact. `known` is what the caller's policies read: for another account's resource it lacks the
 * facts that are the owner's, unless the owner manages the caller's organization and the resource is part of it.
 */
interface Seen {
  readonly whole: ConditionContext;
  readonly known: ConditionContext;
}

/** A denial, with the context in which the caller's policies were evaluated. Default: the known one. */
interface Refusal {
  readonly denied: Denied;
  readonly context?: ConditionContext;
}

/** Adds facts that are the owner's: the organization of the resource's account, and the resource's tags. */
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

/** Keys whose reader needs the tags of the resource: the tags, and the keys of a request that changes them. */
function tagPrefixesOf({ trustPolicyOf }: Asked, context: ConditionContext): readonly string[] {
  return trustPolicyOf === undefined && context.has('aws:tagkeys') ? [...RESOURCE_TAGS, 'aws:tagkeys'] : RESOURCE_TAGS;
}

/** The condition keys of tags that differ in case only. */
function ambiguousKeys(prefixes: readonly TagPrefix[], tags: Tags = NO_TAGS): readonly string[] {
  const keys = ambiguousTagKeys(Object.keys(tags));
  return keys.length === 0 ? NO_KEYS : prefixes.flatMap((prefix) => keys.map((key) => prefix + key));
}

/**
 * Denies a request whose decision would read a tag whose key occurs in several spellings. Requests cannot store such tags; older data may
 * have them.
 *
 * A policy could mean either value, and an absent key would satisfy negated tests. So the request is denied: an error during evaluation
 * fails closed. Requirement EVAL-12. Another account's role gets the answer of an unknown role. Source: IAM User Guide, `aws:ResourceTag`:
 * a condition matches either key "but not both". Assumed: that AWS does the same.
 */
function ambiguity(principal: Principal, { action, called, trustPolicyOf }: Asked, resource: string, others: boolean): Refusal {
  if (trustPolicyOf !== undefined && (others || principal.type === 'Unknown')) return { denied: bare(principal, action, resource) };
  return { denied: denied(principal, action, resource, implicit('identity', resource), called) };
}

const NO_KEYS: readonly string[] = [];

/**
 * Kinds of sessions that may not call a service at all, whatever their policies say: credentials of GetFederationToken call no
 * IAM and of STS only GetCallerIdentity; those of GetSessionToken call IAM only with MFA, and of STS AssumeRole and
 * GetCallerIdentity.
 *
 * Source: IAM User Guide, "Comparing the AWS STS API operations"; requirement §2.6.
 * Assumed: IAM answers InvalidClientTokenId, as users report of real accounts; STS answers AccessDenied.
 */
function refuseBySessionKind(principal: Principal, action: string): void {
  const federated = principal.type === 'FederatedUser';
  const fromUser = (principal.type === 'IAMUser' || principal.type === 'Root') && principal.session !== undefined;
  // Neither limit is one of the console. Source: the same page, its notes on console sessions.
  if ((!federated && !fromUser) || principal.session?.fromConsole) return;
  if (action.startsWith('iam:') && (federated || !principal.session?.mfaAuthenticated)) {
    throw new AwsError('InvalidClientTokenId', 'The security token included in the request is invalid');
  }
  if (!action.startsWith('sts:') || action === 'sts:GetCallerIdentity') return;
  const mayAssume = fromUser && action === 'sts:AssumeRole';
  // GetFederationToken and GetSessionToken refuse every session in words of their own. Requirement STS-3.
  const refusesItself = action === 'sts:GetFederationToken' || action === 'sts:GetSessionToken';
  if (!mayAssume && !refusesItself) {
    throw new Denied(`User: ${principal.arn} is not authorized to perform: ${action}`, NOBODY, []);
  }
}
