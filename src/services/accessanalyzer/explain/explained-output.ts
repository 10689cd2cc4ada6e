/** The output of ExplainDecision, from an explained decision. */
import type { Change } from '#access/past/change.ts';
import type {
  ExplainedDecision,
  ExplainedPermission,
  ExplainedResource,
  HiddenDenial,
  VisibleDenial,
} from '#access/past/explained-decision.ts';
import type { Grant, GrantStatement } from '#access/past/grants.ts';
import { type AccountId, accountIdOf, isRoleArn } from '#core/arn.ts';
import type { ConditionContext } from '#core/condition-context.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { AccessanalyzerApi, DecisionPolicyType } from '#model/generated/accessanalyzer.ts';
import type { PolicyType, StatementRef } from '#policy/decision.ts';
import type { ElementTrace, LayerTrace, PolicyTrace, PrincipalStatementTrace, StatementTrace } from '#policy/explain.ts';
import type { DecisionOutcome } from '#store/trail/decision-context.ts';
import { withArns } from '../../iam/policy-principals.ts';

export type Output = AccessanalyzerApi['ExplainDecision']['output'];
type Permission = NonNullable<Output['permissions']>[number];
type Resource = Permission['resources'][number];
type Layer = NonNullable<Resource['layers']>[number];
type Policy = Layer['policies'][number];
type Statement = Policy['statements'][number];
type Document = NonNullable<Output['documents']>[number];

// biome-ignore format: a table
const POLICY_TYPES: Readonly<Record<PolicyType, readonly [name: DecisionPolicyType, text: string]>> = {
  'service-control': ['SERVICE_CONTROL', 'service control policy'],
  identity:          ['IDENTITY',        'identity-based policy'],
  boundary:          ['BOUNDARY',        'permissions boundary'],
  session:           ['SESSION',         'session policy'],
  trust:             ['TRUST',           'role trust policy'],
  resource:          ['RESOURCE',        'resource-based policy'],
};

/** Reports whether a stored text is the name of a policy type. */
export function isPolicyType(text: string): text is PolicyType {
  return Object.hasOwn(POLICY_TYPES, text);
}

/** Returns the reason of a decision in one sentence. */
export function summaryOf({ caller, outcome, denial, permissions, denied: parts, omitted, change }: ExplainedDecision): string {
  const actions = [...new Set(permissions.map(({ action }) => action))].join(', ');
  if (outcome.effect === 'Allow') {
    const count = parts.length + (omitted?.denied ?? 0);
    const refused = `not allowed to perform ${parts[0]?.action ?? omitted?.action} on ${count} of the resources of the request.`;
    if (count === 0) return `${caller} was allowed to perform ${actions}.`;
    const allows = permissions.some(({ state }) => state === 'allowed') || (omitted?.allowed ?? 0) > 0;
    return allows ? `${caller} was allowed to perform ${actions}, but ${refused}` : `${caller} was ${refused}`;
  }
  if (outcome.kind === 'session-kind')
    return `${caller} was not allowed to perform ${actions}, because credentials of this kind of session cannot call it.`;
  const denied = permissions.find(({ state }) => state === 'denied');
  const what = `${caller} was not allowed to perform ${denied?.action ?? actions} on ${outcome.resource}`;
  const grants = change?.allows === true ? ` ${countOf(change.grants.length)} would allow the request.` : '';
  return `${what}, because ${denial?.kind === 'hidden' ? HIDDEN[denial.of] : reasonOf(outcome)}.${grants}`;
}

const HIDDEN: Readonly<Record<HiddenDenial['of'], string>> = {
  caller: "the policies of the caller's account do not allow it",
  resource: "the policies of the resource's account do not allow it",
};

function countOf(grants: number): string {
  return grants === 1 ? 'One more statement' : `${grants} more statements`;
}

function reasonOf(outcome: Exclude<DecisionOutcome, { readonly effect: 'Allow' } | { readonly kind: 'session-kind' }>): string {
  if (outcome.kind === 'limit') return 'the evaluation took too many steps';
  if (outcome.kind === 'implicit') return `no ${POLICY_TYPES[outcome.missing as PolicyType][1]} allows it`;
  const { policyType, policyId, statement, sid } = outcome.by;
  const name = POLICY_TYPES[policyType as PolicyType][1];
  return `statement ${sid ?? statement + 1} of the ${name} ${policyId} denies it`;
}

/** Returns the ARNs that users and roles of an account had at the time of the decision, by their unique IDs. */
export type ArnsOf = (accountId: AccountId, ids: readonly string[]) => Promise<ReadonlyMap<string, string>>;

/** Returns the permissions, and the texts of the policies that they name. */
export async function permissionsOf(
  { permissions: required, denied, omitted }: ExplainedDecision,
  arnsOf: ArnsOf,
): Promise<Required<Pick<Output, 'permissions' | 'documents'>>> {
  const documents = new Map<string, Document>();
  const permissions = [...required, ...denied, ...omittedOf(omitted)];
  for (const { texts, resourcePolicy } of permissions.flatMap(({ resources }) => resources)) {
    for (const [policyId, document] of texts) documents.set(policyId, { policyId, document });
    if (resourcePolicy !== undefined && !documents.has(resourcePolicy.policyId))
      documents.set(resourcePolicy.policyId, await documentOf(resourcePolicy, arnsOf));
  }
  const explained = permissions.map(({ action, state, resources, otherResources }) => ({
    ...{ action, state: STATES[state], otherResources },
    resources: resources.map(resourceOf),
  }));
  return { permissions: explained, documents: [...documents.values()] };
}

/** Returns the permissions whose resources are not stored, by state. */
function omittedOf(omitted: ExplainedDecision['omitted']): readonly ExplainedPermission[] {
  if (omitted === undefined) return [];
  return (['denied', 'allowed'] as const)
    .filter((state) => omitted[state] > 0)
    .map((state) => ({ action: omitted.action, state, resources: [], otherResources: omitted[state] }));
}

/**
 * Returns the text of a trust policy or resource-based policy, with the ARNs of the principals in a trust policy. A unique ID remains if its
 * user or role was deleted at the time of the decision.
 *
 * Source: IAM User Guide, "AWS JSON policy elements: Principal": if the user or role is deleted, the policy shows its principal ID.
 */
async function documentOf(
  { policyId, text, principals }: NonNullable<ExplainedResource['resourcePolicy']>,
  arnsOf: ArnsOf,
): Promise<Document> {
  const arns = new Map<string, string>();
  for (const accountId of new Set(Object.values(principals))) {
    const ids = Object.keys(principals).filter((id) => principals[id] === accountId);
    for (const [id, arn] of await arnsOf(accountId, ids)) arns.set(id, arn);
  }
  const deletedPrincipals = Object.keys(principals).filter((id) => !arns.has(id));
  const document = await withArns(text, async (id) => arns.get(id));
  return { policyId, document, ...(deletedPrincipals.length > 0 && { deletedPrincipals }) };
}

const STATES = {
  allowed: 'ALLOWED',
  denied: 'DENIED',
  'not decided': 'NOT_DECIDED',
  'not needed': 'NOT_NEEDED',
} as const satisfies Readonly<Record<ExplainedPermission['state'], Permission['state']>>;

function resourceOf({ resource, denial, layers, resourcePolicy, context }: ExplainedResource): Resource {
  const own = layers?.map((layer) => layerOf(layer)) ?? [];
  const all = resourcePolicy === undefined ? own : [...own, resourceLayerOf(resourcePolicy)];
  return {
    resource,
    allowed: denial === undefined,
    ...(denial !== undefined && denialOf(denial)),
    ...(all.length > 0 && { layers: all }),
    contextEntries: entriesOf(context),
  };
}

function denialOf(denial: VisibleDenial): Partial<Resource> {
  switch (denial.kind) {
    case 'hidden':
      return {};
    case 'limit':
      return { reason: 'LIMIT' };
    case 'implicit':
      return { reason: 'MISSING_ALLOW', policyType: POLICY_TYPES[denial.missing][0] };
    case 'explicit':
      return { reason: 'EXPLICIT_DENY', policyType: POLICY_TYPES[denial.policyType][0], statement: referenceOf(denial.by) };
  }
}

function referenceOf({ policyType, policyId, policyArn, statement, sid }: StatementRef): NonNullable<Resource['statement']> {
  return { policyType: POLICY_TYPES[policyType][0], policyId, index: statement, ...omitUndefined({ policyArn, sid }) };
}

const RESULTS = { allows: 'ALLOWS', denies: 'DENIES', silent: 'SILENT' } as const satisfies Readonly<
  Record<LayerTrace['answer'], NonNullable<Layer['result']>>
>;

function layerOf({ policyType, level, answer, policies }: LayerTrace): Layer {
  return {
    policyType: POLICY_TYPES[policyType][0],
    ...(level !== undefined && { level }),
    result: RESULTS[answer],
    policies: policies.map((policy) => policyOf(policy, policyType === 'service-control')),
  };
}

function resourceLayerOf({ policyType, policyId, statements }: NonNullable<ExplainedResource['resourcePolicy']>): Layer {
  const applies = (effect: 'Allow' | 'Deny') => statements.some((each) => each.applies && each.effect === effect);
  return {
    policyType: POLICY_TYPES[policyType][0],
    result: applies('Deny') ? 'DENIES' : applies('Allow') ? 'ALLOWS' : 'SILENT',
    policies: [policyOf({ policyId, statements }, false)],
  };
}

/** Returns a policy. Of a policy of another account, only which statements apply. */
function policyOf({ policyId, statements }: PolicyTrace, isOfOthers: boolean): Policy {
  const listed = statements.filter(({ action, applies }) => (isOfOthers ? applies : action.holds));
  return { policyId, statements: listed.map((each) => statementOf(each, isOfOthers)), otherStatements: statements.length - listed.length };
}

function statementOf(traced: StatementTrace | PrincipalStatementTrace, isOfOthers: boolean): Statement {
  const { ref, effect, applies, action, resource, conditions } = traced;
  const summary = { index: ref.statement, effect, applies, ...omitUndefined({ sid: ref.sid }) };
  if (isOfOthers) return summary;
  return {
    ...summary,
    ...('principal' in traced && { principal: traced.principal }),
    action: elementOf(action),
    ...(resource !== undefined && { resource: elementOf(resource) }),
    conditions: conditions.map(({ operator, key, holds, requestValue, because, values }) => ({
      ...{ operator, key, holds, values: values.map(comparedValue) },
      ...omitUndefined({ requestValues: requestValue === undefined ? undefined : [requestValue].flat(), reason: because }),
    })),
  };
}

function elementOf({ element, holds, values }: ElementTrace): NonNullable<Statement['action']> {
  return { element, holds, values: values.map(comparedValue) };
}

function comparedValue({ value, matched, resolved, unresolved }: ElementTrace['values'][number]) {
  return { value, matched, ...omitUndefined({ resolved, missingVariable: unresolved }) };
}

function entriesOf(context: ConditionContext): NonNullable<Resource['contextEntries']> {
  return [...context].map(([key, value]) => ({ key, values: [value].flat() }));
}

/** Returns what would allow a request of a caller. */
export function changeOf({ grants, allows, blocked, example }: Change, principalArn: string): NonNullable<Output['change']> {
  return {
    allowsRequest: allows,
    grants: grants.map((grant) => ({
      policyType: POLICY_TYPES[grant.policyType][0],
      target: grant.target,
      statement: JSON.stringify(grant.statement),
      alsoAllows: alsoAllows(grant, principalArn),
    })),
    ...(blocked !== undefined && ('by' in blocked ? { blockedBy: referenceOf(blocked.by) } : { blockedReason: BLOCKED[blocked.because] })),
    ...(example !== undefined && {
      example: { principalArn, action: example.action, resource: example.resource, sourceIpAddress: example.sourceIp },
    }),
  };
}

type Blocked = Extract<NonNullable<Change['blocked']>, { readonly because: string }>['because'];

const BLOCKED: Readonly<Record<Blocked, string>> = {
  limit: 'The evaluation of the policies takes too many steps.',
  'no policies': 'The caller has no policies to which a statement can be added, or the resource does not exist.',
  'another account': 'The resource belongs to another account, and this operation has no resource-based policies.',
  owner: 'The resource belongs to another account, or it does not exist. A policy of its owner must also allow the request.',
  'too many': 'The request lacks more statements than an explanation lists.',
  suspended: 'The account is closed.',
  'session kind': 'Credentials of this kind of session cannot call the operation.',
  'not kept': 'Policies test facts that the server did not read for this decision, so later decisions are unknown.',
};

/** Describes what a grant allows besides the request. */
function alsoAllows({ policyType, target, statement }: Grant, principalArn: string): string {
  const { Principal, Action, Resource = target } = statement;
  const what = `${Action} on ${Resource}`;
  switch (policyType) {
    case 'identity':
      return `${target} can perform ${what} in every session, from every address and at every time.`;
    case 'session':
      return `Only this session is affected: a new one with this policy can perform ${what} from every address and at every time.`;
    case 'boundary':
      return `Every user and role with this boundary can perform ${what}, if its other policies allow it.`;
    case 'service-control':
      return `Every principal of the accounts in ${target} can perform ${what}, if its other policies allow it.`;
    case 'trust':
      return `${callersOf(Principal, principalArn)} can use the role ${target}, and has its permissions${ifOwnPoliciesAllow(Principal)}.`;
    case 'resource':
      return `${callersOf(Principal, principalArn)} can perform ${what} from every address and at every time${ifOwnPoliciesAllow(Principal)}.`;
  }
}

/** Describes the callers that a Principal element without conditions names: more than one, unless it names a user. */
function callersOf(principal: GrantStatement['Principal'], principalArn: string): string {
  if (principal === undefined) return principalArn;
  if ('Federated' in principal) return `Every user of ${principal.Federated}`;
  if ('Service' in principal) return `${principal.Service}, for every account,`;
  if (isRootArn(principal.AWS)) return `Every principal of the account ${accountIdOf(principal.AWS)}`;
  return isRoleArn(principal.AWS) ? `Every session of ${principal.AWS}` : principal.AWS;
}

/**
 * Returns the limit of a statement that names an account.
 *
 * Source: IAM User Guide, "AWS JSON policy elements: Principal": the root user's ARN names the account, whose administrators delegate the access.
 */
function ifOwnPoliciesAllow(principal: GrantStatement['Principal']): string {
  return principal !== undefined && 'AWS' in principal && isRootArn(principal.AWS) ? ', if its own policies allow it' : '';
}

const isRootArn = (arn: string): boolean => arn.endsWith(':root');
