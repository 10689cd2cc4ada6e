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

/** What SimulatePrincipalPolicy and SimulateCustomPolicy ask about. */
export interface Simulation {
  readonly layers: PolicyLayers;
  readonly actions: readonly string[];
  /** Empty: `*`. */
  readonly resources: readonly string[];
  readonly context: ConditionContext;
  /** Steps that all results together may take; absent, each result has its own. */
  readonly budget?: StepBudget;
  /** A policy of the resource, or of the role for `sts:Assume…`, and who calls. */
  readonly resourcePolicy?: { readonly source: SourcedPolicy; readonly caller: TrustCaller; readonly policyType: 'resource' | 'trust' };
}

/** The longest context value and resource that are simulated: a caller may name any. Source of the figure: IAM API Reference, ResourceNameType. */
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
  readonly EvalDecisionDetails: Readonly<Record<string, EvalDecision>>;
  readonly PermissionsBoundaryDecisionDetail?: { readonly AllowedByPermissionsBoundary: boolean };
}

/** As in the IAM model. */
export interface EvaluationResult extends SharedResult {
  readonly EvalActionName: string;
  readonly EvalResourceName: string;
  readonly EvalDecision: EvalDecision;
  readonly OrganizationsDecisionDetail?: { readonly AllowedByOrganizations: boolean };
  readonly ResourceSpecificResults: readonly (SharedResult & {
    readonly EvalResourceName: string;
    readonly EvalResourceDecision: EvalDecision;
  })[];
}

/**
 * Simulates every action on every resource: one result each, actions first.
 *
 * Source: IAM API Reference, EvaluationResult: a statement that denies is the only kind listed where there is one.
 * Recorded: SourcePolicyType is `IAM Policy`, EvalDecisionDetails is empty within one account, and positions count from 1 and point one
 * past the braces of the statement (policy-engine.md §2, end; 2026-11).
 * @throws StepsExceeded  the budget has fewer steps left than the simulation needs
 * @throws RangeError a context value or a resource longer than `SIMULATED_TEXT_MAX`; the caller refuses them first
 * Assumed: each result repeats itself for its resource in ResourceSpecificResults.
 */
export function simulate({ layers, actions, resources, context, resourcePolicy, budget }: Simulation): EvaluationResult[] {
  const asked = resources.length === 0 ? ['*'] : resources;
  for (const text of [...asked, ...[...context.values()].flat()]) {
    if (text.length > SIMULATED_TEXT_MAX) throw new RangeError('The text is too long to be simulated.');
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
  const { source, caller, policyType } = resourcePolicy ?? {};
  const granted =
    source === undefined || caller === undefined
      ? undefined
      : decideTrust(source.policy, caller, request, policyType ?? 'resource', budget);
  const outcome =
    granted === undefined ? outcomeOf(decision) : together(decision, traced, granted, caller?.accountId, resource, policyType);
  const effect = outcome === 'explicitDeny' ? 'Deny' : 'Allow';
  const documents = documentsOf(layers);
  const matched = traced
    .flatMap(({ policies }) => policies.flatMap(({ statements }) => statements))
    .filter((statement) => statement.applies && statement.effect === effect)
    .map(({ ref, start, end }) => matchedStatement(ref.policyId, 'IAM Policy', documents.get(ref.policyId), start, end));
  takeSteps(budget, matched.length * STEPS_OF_MATCH);
  if (source !== undefined && granted?.by !== undefined && granted.effect === effect) {
    const document = documentOf(source.policy);
    const node = document.statements[granted.by.statement] as StatementNode;
    matched.push(matchedStatement(source.policyId, 'Resource Policy', document, node.node.start, node.node.end));
  }
  const shared: SharedResult = {
    MatchedStatements: matched,
    MissingContextValues: missingKeys(traced, documents, context, budget),
    EvalDecisionDetails: {},
    ...detail(traced, 'boundary', (allows) => ({ PermissionsBoundaryDecisionDetail: { AllowedByPermissionsBoundary: allows } })),
  };
  return {
    EvalActionName: action,
    EvalResourceName: resource,
    EvalDecision: outcome,
    ...shared,
    ...detail(traced, 'service-control', (allows) => ({ OrganizationsDecisionDetail: { AllowedByOrganizations: allows } })),
    ResourceSpecificResults: [{ EvalResourceName: resource, EvalResourceDecision: outcome, ...shared }],
  };
}

/** Steps of a statement or key in a result, with what it costs to send it. */
const STEPS_OF_MATCH = 100;

function outcomeOf(decision: Decision): EvalDecision {
  if (decision.effect === 'Allow') return 'allowed';
  return decision.kind === 'explicit' ? 'explicitDeny' : 'implicitDeny';
}

/**
 * The caller's own policies and the resource's together.
 *
 * Source: IAM User Guide, "Policy evaluation logic": within an account one of them suffices, save that a role's trust policy must always
 * allow; across accounts both must.
 * Requirement EVAL-7: a grant to a user or session itself makes up for what its own policies leave out, one to a session's role only for
 * what identity-based policies do.
 */
function together(
  own: Decision,
  layers: readonly LayerTrace[],
  granted: TrustDecision,
  accountId: AccountId | undefined,
  resource: string,
  policyType: 'resource' | 'trust' | undefined,
): EvalDecision {
  if (granted.effect === 'Deny' && granted.kind === 'explicit') return 'explicitDeny';
  if (own.effect === 'Deny' && own.kind === 'explicit') return 'explicitDeny';
  const owner = parseArn(resource)?.accountId;
  const sameAccount = owner === undefined || owner === '' || owner === accountId;
  const must = policyType === 'trust' || !sameAccount;
  if (must && granted.effect !== 'Allow') return 'implicitDeny';
  if (own.effect === 'Allow') return 'allowed';
  if (!sameAccount || granted.effect !== 'Allow') return 'implicitDeny';
  const madeUpFor = MADE_UP_FOR[granted.grantee];
  return layers.every(({ answer, policyType: layer }) => answer === 'allows' || madeUpFor.includes(layer)) ? 'allowed' : 'implicitDeny';
}

/** Which of the caller's own layers need not allow, by whom a policy with principals named. */
const MADE_UP_FOR: Readonly<Record<'principal' | 'role' | 'account', readonly LayerTrace['policyType'][]>> = {
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

/** The documents of all layers, by policy id. */
export function documentsOf({ identity, boundary, session, serviceControl }: PolicyLayers): ReadonlyMap<string, PolicyDocument> {
  const all = [...identity, ...(boundary ?? []), ...(session ?? []), ...(serviceControl?.flat() ?? [])];
  return new Map(all.map(({ policyId, policy }) => [policyId, documentOf(policy)]));
}

function matchedStatement(id: string, type: string, document: PolicyDocument | undefined, start: number, end: number): MatchedStatement {
  if (document === undefined) throw new Error('A matched statement has its policy.');
  return {
    SourcePolicyId: id,
    SourcePolicyType: type,
    StartPosition: textPosition(document, start + 1),
    EndPosition: textPosition(document, end),
  };
}

function textPosition({ lineStarts }: PolicyDocument, offset: number): TextPosition {
  const { line, column } = positionAt(lineStarts, offset);
  return { Line: line, Column: column + 1 };
}

/** Keys that statements with this action read and the context does not have, as the policies spell them. */
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
  return [...keys].filter(([key]) => !context.has(key)).map(([, spelt]) => spelt);
}

/**
 * Every context key that a policy's conditions and variables name, as spelt where it stands first.
 *
 * Source: IAM API Reference, GetContextKeysForCustomPolicy.
 * @throws StepsExceeded
 */
export function contextKeysOf(policy: CompiledPolicy, budget: StepBudget = { stepsLeft: Number.POSITIVE_INFINITY }): string[] {
  const keys = new Map<string, string>();
  const document = documentOf(policy);
  for (const statement of document.statements) addKeys(statement, document, keys, budget);
  return [...keys.values()];
}

/** Steps of one character of a text that is read for its variables. */
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

/** A variable's key as the text has it. */
function spelling(text: string, key: string): string {
  const at = text.toLowerCase().indexOf(key);
  return at < 0 ? key : text.slice(at, at + key.length);
}
