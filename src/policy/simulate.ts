import type { AccountId } from '#core/arn.ts';
import { parseArn } from '#core/arn.ts';
import type { ConditionContext } from '#core/condition-context.ts';
import { documentOf } from './compile.ts';
import type { CompiledPolicy, SourcedPolicy } from './compiled-policy.ts';
import type { Decision } from './decision.ts';
import { EXPLANATION_STEPS } from './decision-steps.ts';
import type { PolicyDocument, StatementNode } from './document.ts';
import { positionAt } from './document.ts';
import { explain, type LayerTrace, type StatementTrace } from './explain.ts';
import type { PolicyLayers } from './link.ts';
import { readPattern } from './pattern.ts';
import { type StepBudget, takeSteps } from './steps.ts';
import { decideTrust, type TrustCaller, type TrustDecision } from './trust.ts';

/** Input of SimulatePrincipalPolicy and SimulateCustomPolicy. */
export interface Simulation {
  readonly layers: PolicyLayers;
  readonly actions: readonly string[];
  /** Resources. An empty list means `*`. */
  readonly resources: readonly string[];
  readonly context: ConditionContext;
  /** Step budget of all results together. If absent, each result has its own budget. */
  readonly budget?: StepBudget;
  /** Policy of the resource, and the caller. For `sts:Assume…`, the policy is the trust policy of the role. */
  readonly resourcePolicy?: SimulatedResourcePolicy;
}

/** Policy of the simulated resource. */
export interface SimulatedResourcePolicy {
  readonly source: SourcedPolicy;
  readonly caller: TrustCaller;
  readonly policyType: 'resource' | 'trust';
  /** Account that owns a resource whose ARN has no account. Default: the caller's account. */
  readonly ownerId?: AccountId;
}

/** Maximum length of a simulated context value or resource, in characters. Source: IAM API Reference, ResourceNameType. */
export const SIMULATED_TEXT_MAX = 2048;

export type EvalDecision = 'allowed' | 'explicitDeny' | 'implicitDeny';

export interface TextPosition {
  readonly Line: number;
  readonly Column: number;
}

export interface MatchedStatement {
  readonly SourcePolicyId: string;
  readonly SourcePolicyType: string;
  readonly StartPosition: TextPosition;
  readonly EndPosition: TextPosition;
}

interface SharedResult {
  readonly MatchedStatements: readonly MatchedStatement[];
  readonly MissingContextValues: readonly string[];
  readonly PermissionsBoundaryDecisionDetail?: { readonly AllowedByPermissionsBoundary: boolean };
}

/** Result in the format of the IAM model. */
export interface EvaluationResult extends SharedResult {
  readonly EvalActionName: string;
  readonly EvalResourceName: string;
  readonly EvalDecision: EvalDecision;
  readonly OrganizationsDecisionDetail?: { readonly AllowedByOrganizations: boolean };
  /** Absent if the resource is `*`. */
  readonly ResourceSpecificResults?: readonly (SharedResult & {
    readonly EvalResourceName: string;
    readonly EvalResourceDecision: EvalDecision;
  })[];
}

/**
 * Simulates every action on every resource. Returns one result for each pair, in the order of actions, then resources.
 *
 * @throws StepsExceeded  the budget has too few steps left
 * @throws RangeError     a context value or resource is longer than `SIMULATED_TEXT_MAX`. The caller must reject such
 * values first.
 *
 * Source: IAM API Reference, EvaluationResult: if a statement denies, only statements that deny are listed.
 * EvalDecisionDetails is for decisions across accounts. It is absent if it is empty.
 * Source: outputs of the AWS CLI in public reports: (1) SourcePolicyType is `IAM Policy`. (2) There are no
 * ResourceSpecificResults for `*`. (3) The statement of AdministratorAccess (`  "Statement": [` in line 3, `    }` in
 * line 8) has the positions 3:17 and 8:6.
 * Assumed: ResourceSpecificResults repeats each result for its resource. EvalDecisionDetails is always absent.
 */
export function simulate({ layers, actions, resources, context, resourcePolicy, budget }: Simulation): EvaluationResult[] {
  const asked = resources.length === 0 ? ['*'] : resources;
  for (const text of [...asked, ...[...context.values()].flat()]) {
    if (text.length > SIMULATED_TEXT_MAX)
      throw new RangeError(`A context value or resource has more than ${SIMULATED_TEXT_MAX} characters.`);
  }
  return actions.flatMap((action) => asked.map((resource) => simulateOne(layers, action, resource, context, resourcePolicy, budget)));
}

function simulateOne(
  layers: PolicyLayers,
  action: string,
  resource: string,
  context: ConditionContext,
  resourcePolicy: Simulation['resourcePolicy'],
  ownBudget: StepBudget | undefined,
): EvaluationResult {
  const budget = ownBudget ?? { stepsLeft: EXPLANATION_STEPS };
  const request = { action, resources: [resource], context };
  const { decision, resources } = explain(layers, request, budget);
  const traced = resources[0]?.layers ?? [];
  const granted =
    resourcePolicy && decideTrust(resourcePolicy.source.policy, resourcePolicy.caller, request, resourcePolicy.policyType, budget);
  const outcome =
    granted === undefined || resourcePolicy === undefined
      ? outcomeOf(decision)
      : together(decision, traced, granted, resource, resourcePolicy);
  const effect = outcome === 'explicitDeny' ? 'Deny' : 'Allow';
  const documents = documentsOf(layers);
  const matched = traced
    .flatMap(({ policies }) => policies.flatMap(({ statements }) => statements))
    .filter((statement) => statement.applies && statement.effect === effect)
    .map(({ ref }) => matchedStatement(ref.policyId, 'IAM Policy', documents.get(ref.policyId), ref.statement));
  takeSteps(budget, matched.length * STEPS_OF_MATCH);
  if (resourcePolicy !== undefined && granted?.by !== undefined && granted.effect === effect) {
    const { policyId, policy } = resourcePolicy.source;
    matched.push(matchedStatement(policyId, 'Resource Policy', documentOf(policy), granted.by.statement));
  }
  const shared: SharedResult = {
    MatchedStatements: matched,
    MissingContextValues: missingKeys(traced, documents, context, budget),
    ...detail(traced, 'boundary', (allows) => ({ PermissionsBoundaryDecisionDetail: { AllowedByPermissionsBoundary: allows } })),
  };
  return {
    EvalActionName: action,
    EvalResourceName: resource,
    EvalDecision: outcome,
    ...shared,
    ...detail(traced, 'service-control', (allows) => ({ OrganizationsDecisionDetail: { AllowedByOrganizations: allows } })),
    ...(resource !== '*' && { ResourceSpecificResults: [{ EvalResourceName: resource, EvalResourceDecision: outcome, ...shared }] }),
  };
}

/** Cost in steps of one statement or key in a result. Includes the cost of sending the statement or key. */
const STEPS_OF_MATCH = 100;

function outcomeOf(decision: Decision): EvalDecision {
  if (decision.effect === 'Allow') return 'allowed';
  return decision.kind === 'explicit' ? 'explicitDeny' : 'implicitDeny';
}

/**
 * Combines the decisions of the caller's own policies and of the resource's policy.
 *
 * Source: IAM User Guide, "Policy evaluation logic": within an account, an Allow of the caller's policies or of the
 * resource's policy is sufficient, but a role's trust policy must always allow. Across accounts, both the caller's
 * policies and the resource's policy must allow.
 * Requirement EVAL-7: if the resource's policy allows a user or session by name, the identity policies, the boundary
 * and the session policies need not allow. If the resource's policy allows the role of a session, the identity policies
 * need not allow, but the boundary and the session policies must.
 */
function together(
  own: Decision,
  layers: readonly LayerTrace[],
  granted: TrustDecision,
  resource: string,
  { caller: { accountId }, policyType, ownerId }: SimulatedResourcePolicy,
): EvalDecision {
  if (granted.effect === 'Deny' && granted.kind === 'explicit') return 'explicitDeny';
  if (own.effect === 'Deny' && own.kind === 'explicit') return 'explicitDeny';
  const owner = parseArn(resource)?.accountId || ownerId || accountId;
  const sameAccount = owner === accountId;
  const must = policyType === 'trust' || !sameAccount;
  if (must && granted.effect !== 'Allow') return 'implicitDeny';
  if (own.effect === 'Allow') return 'allowed';
  if (!sameAccount || granted.effect !== 'Allow') return 'implicitDeny';
  const replaced = REPLACED_LAYERS[granted.grantee];
  return layers.every(({ answer, policyType: layer }) => answer === 'allows' || replaced.includes(layer)) ? 'allowed' : 'implicitDeny';
}

/**
 * Types of the caller's policies that need not allow if the resource's policy allows. The key is the kind of principal
 * that the resource's policy names.
 */
const REPLACED_LAYERS: Readonly<Record<'principal' | 'role' | 'account', readonly LayerTrace['policyType'][]>> = {
  principal: ['identity', 'boundary', 'session'],
  role: ['identity'],
  account: [],
};

function detail<Value>(
  layers: readonly LayerTrace[],
  policyType: LayerTrace['policyType'],
  make: (allows: boolean) => Value,
): Value | Record<never, never> {
  const own = layers.filter((layer) => layer.policyType === policyType);
  return own.length === 0 ? {} : make(own.every(({ answer }) => answer === 'allows'));
}

/** Returns the documents of all layers, by policy ID. */
export function documentsOf({ identity, boundary, session, serviceControl }: PolicyLayers): ReadonlyMap<string, PolicyDocument> {
  const all = [...identity, ...(boundary ?? []), ...(session ?? []), ...(serviceControl?.flat() ?? [])];
  return new Map(all.map(({ policyId, policy }) => [policyId, documentOf(policy)]));
}

function matchedStatement(id: string, type: string, document: PolicyDocument | undefined, statement: number): MatchedStatement {
  if (document === undefined) throw new Error('The policy of a matched statement was not found.');
  return {
    SourcePolicyId: id,
    SourcePolicyType: type,
    StartPosition: textPosition(document, startOf(document, statement)),
    EndPosition: textPosition(document, (document.statements[statement] as StatementNode).node.end),
  };
}

/**
 * Returns the offset at which a statement begins for IAM's parser. In a list, this is the end of the opening bracket or
 * of the previous statement. A single statement without a list begins after its opening brace.
 */
function startOf({ root, statements }: PolicyDocument, statement: number): number {
  const list = root.members.find(({ name }) => name.value === 'Statement')?.value;
  if (list?.kind !== 'array') return (list?.start ?? 0) + 1;
  return statement === 0 ? list.start + 1 : (statements[statement - 1] as StatementNode).node.end;
}

function textPosition({ lineStarts }: PolicyDocument, offset: number): TextPosition {
  const { line, column } = positionAt(lineStarts, offset);
  return { Line: line, Column: column + 1 };
}

/**
 * Returns the context keys that a statement reads but the request's context does not have. Ignores statements that do
 * not match the action and the resource. The keys have the spelling of the policies.
 */
function missingKeys(
  layers: readonly LayerTrace[],
  documents: ReadonlyMap<string, PolicyDocument>,
  context: ConditionContext,
  budget: StepBudget,
): string[] {
  const keys = new Map<string, string>();
  const asked = (statement: StatementTrace): boolean => statement.action.holds && statement.resource?.holds !== false;
  for (const { policies } of layers) {
    for (const { policyId, statements } of policies) {
      const document = documents.get(policyId);
      for (const statement of statements) {
        const node = document?.statements[statement.ref.statement];
        if (document !== undefined && node !== undefined && asked(statement)) addKeys(node, document, keys, budget);
      }
    }
  }
  takeSteps(budget, keys.size * STEPS_OF_MATCH);
  return [...keys].filter(([key]) => !context.has(key)).map(([, asWritten]) => asWritten);
}

/**
 * Returns the context keys in a policy's conditions and variables, with the spelling of their first use.
 *
 * Source: IAM API Reference, GetContextKeysForCustomPolicy.
 * @throws StepsExceeded  the budget has too few steps left
 */
export function contextKeysOf(policy: CompiledPolicy, budget: StepBudget = { stepsLeft: Number.POSITIVE_INFINITY }): string[] {
  const keys = new Map<string, string>();
  const document = documentOf(policy);
  for (const statement of document.statements) addKeys(statement, document, keys, budget);
  return [...keys.values()];
}

/** Cost of searching one character of a string for variables, in steps. */
const STEPS_OF_CHARACTER = 8;

function addKeys(
  { resource, notResource, condition }: StatementNode,
  { version }: PolicyDocument,
  keys: Map<string, string>,
  budget: StepBudget,
): void {
  const variables = version?.value === '2012-10-17';
  const add = (key: string): void => {
    if (!keys.has(key.toLowerCase())) keys.set(key.toLowerCase(), key);
  };
  const addVariables = (text: string): void => {
    takeSteps(budget, 1);
    if (!variables || !text.includes('${')) return;
    takeSteps(budget, text.length * STEPS_OF_CHARACTER);
    const pattern = readPattern(text, false, variables);
    if (!('pieces' in pattern)) return;
    for (const piece of pattern.pieces) {
      if (piece.kind !== 'variable' || keys.has(piece.key)) continue;
      takeSteps(budget, text.length);
      add(spelling(text, piece.key));
    }
  };
  for (const element of [resource, notResource]) for (const { value } of element?.values ?? []) addVariables(value);
  for (const { tests } of condition?.blocks ?? []) {
    for (const { key, values } of tests) {
      add(key.value);
      for (const { value } of values) addVariables(value);
    }
  }
}

/** Returns a variable's key with the capitalization that it has in the string. */
function spelling(text: string, key: string): string {
  const at = text.toLowerCase().indexOf(key);
  return at < 0 ? key : text.slice(at, at + key.length);
}
