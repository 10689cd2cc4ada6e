/**
 * Second implementation of decisions about a bucket: the callers' policies and the bucket policy together. It reads the
 * documents, follows the order of AWS's documentation and uses nested loops. `explain` decides each layer of the caller.
 */
import type { Principal } from '#core/principal.ts';
import type { PolicyLayers } from '#policy/engine.ts';
import { explain, type LayerTrace } from '#policy/explain.ts';

/** Statement of a generated bucket policy. All lists have at least one value. */
export interface BucketStatement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Principal?: '*' | Readonly<Record<string, readonly string[]>>;
  readonly NotPrincipal?: Readonly<Record<string, readonly string[]>>;
  readonly Action?: readonly string[];
  readonly NotAction?: readonly string[];
  readonly Resource?: readonly string[];
  readonly NotResource?: readonly string[];
  readonly Condition?: Readonly<Record<'StringEquals' | 'StringNotEquals', Readonly<Record<string, string>>>>;
}

/** Request about a bucket. */
export interface BucketRequest {
  readonly principal: Principal;
  readonly layers: PolicyLayers;
  readonly ownerId: string;
  readonly action: string;
  readonly resource: string;
  readonly context: ReadonlyMap<string, string>;
}

/** Result of a request, without the deciding policy. */
export type Result = 'allow' | 'implicit' | 'explicit';

/** Decides a request in the order of AWS's documentation. `statements` is absent if the bucket has no policy. */
export function decideByDocuments(statements: readonly BucketStatement[] | undefined, request: BucketRequest): Result {
  const { principal, layers, ownerId, action, resource, context } = request;
  const traces = explain(layers, { action, resources: [resource], context }).resources[0]?.layers ?? [];
  const isOwner = principal.accountId === ownerId;
  const isExempt = isOwner && principal.type === 'Root' && /^s3:(Get|Put|Delete)BucketPolicy$/.test(action);
  const bucketPolicy = isExempt ? [] : (statements ?? []);

  // "An explicit deny in any policy overrides any allow."
  if (traces.some(({ answer }) => answer === 'denies')) return 'explicit';
  for (const statement of bucketPolicy) {
    if (statement.Effect === 'Deny' && deniesCaller(statement, request) && applies(statement, request)) return 'explicit';
  }

  // "Organizations SCPs": every level must allow.
  const allowsAll = (type: LayerTrace['policyType']) => traces.every((each) => each.policyType !== type || each.answer === 'allows');
  if (!allowsAll('service-control')) return 'implicit';

  const grants = bucketPolicy.filter((each) => each.Effect === 'Allow' && applies(each, request)).map((each) => grantTo(each, principal));
  const identity = layers.root === true || allowsAll('identity');
  const limits = allowsAll('boundary') && allowsAll('session');
  // "Cross-account policy evaluation": both accounts must allow.
  if (!isOwner) return grants.some((grant) => grant !== 'none') && identity && limits ? 'allow' : 'implicit';
  // "Resource-based policies", within one account.
  if (grants.includes('the caller')) return 'allow';
  if (grants.includes('its role or user') && limits) return 'allow';
  return identity && limits ? 'allow' : 'implicit';
}

/** Reports whether action, resource and conditions of a statement match. */
function applies(
  { Action, NotAction, Resource, NotResource, Condition }: BucketStatement,
  { action, resource, context }: BucketRequest,
): boolean {
  const named = (patterns: readonly string[] | undefined, text: string): boolean =>
    (patterns ?? []).some((each) => wildcardMatch(each, text));
  const lower = (patterns: readonly string[] | undefined) => patterns?.map((each) => each.toLowerCase());
  const actions = Action === undefined ? !named(lower(NotAction), action.toLowerCase()) : named(lower(Action), action.toLowerCase());
  const resources = Resource === undefined ? !named(NotResource, resource) : named(Resource, resource);
  const conditions = Object.entries(Condition ?? {}).every(([operator, tests]) =>
    Object.entries(tests).every(([key, value]) => (context.get(key.toLowerCase()) === value) === (operator === 'StringEquals')),
  );
  return actions && resources && conditions;
}

type Grant = 'none' | 'the account' | 'its role or user' | 'the caller';

/** Returns what an Allow names: the caller, its role or user, its account, or none of them. */
function grantTo({ Principal: element }: BucketStatement, principal: Principal): Grant {
  if (element === undefined) return 'none';
  if (element === '*') return 'the caller';
  const listed = element['AWS'] ?? [];
  const { self, holder, account } = namesOf(principal);
  if (listed.includes('*') || self.some((name) => listed.includes(name))) return 'the caller';
  if (holder.some((name) => listed.includes(name))) return 'its role or user';
  return account.some((name) => listed.includes(name)) ? 'the account' : 'none';
}

/** Reports whether the principals of a Deny include the caller. */
function deniesCaller(statement: BucketStatement, { principal, layers }: BucketRequest): boolean {
  const { NotPrincipal } = statement;
  if (NotPrincipal === undefined) return grantTo(statement, principal) !== 'none';
  const listed = NotPrincipal['AWS'] ?? [];
  if (layers.boundary !== undefined) return true;
  // "You must also specify the account ARN", and for a session both the session and its role.
  const { self, holder, account } = namesOf(principal);
  const has = (names: readonly string[]) => names.some((name) => listed.includes(name));
  if (!has(account)) return true;
  if (principal.type === 'Root') return false;
  return !(has(self) && (holder.length === 0 || has(holder)));
}

/** Names of a caller in a Principal element. `holder`: the role of a session, or the user of a federated user. */
function namesOf(principal: Principal): Readonly<Record<'self' | 'holder' | 'account', readonly string[]>> {
  const { accountId, arn } = principal;
  const account = [accountId, `arn:aws:iam::${accountId}:root`];
  switch (principal.type) {
    case 'IAMUser':
      return { self: [arn, principal.principalId], holder: [], account };
    case 'AssumedRole':
      return { self: [arn], holder: [principal.roleArn, principal.roleId], account };
    case 'FederatedUser':
      return { self: [arn], holder: [principal.issuerArn, principal.issuerId], account };
    default:
      return { self: [arn], holder: [], account };
  }
}

/** Compares a text with a pattern in which `*` is any text. */
function wildcardMatch(pattern: string, text: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  if (rest.length === 0) return pattern === text;
  if (!text.startsWith(first)) return false;
  return Array.from({ length: text.length - first.length + 1 }, (_, i) => text.slice(first.length + i)).some((tail) =>
    wildcardMatch(rest.join('*'), tail),
  );
}
