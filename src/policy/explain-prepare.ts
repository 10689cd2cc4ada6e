import { compileSteps, documentOf } from './compile.ts';
import type { SourcedPolicy } from './compiled-policy.ts';
import type { PolicyDocument, StatementNode, TextNode } from './document.ts';
import {
  addressRange,
  bytes,
  decimal,
  moment,
  newPattern,
  type Pattern,
  type Range,
  type Resolved,
  resolveText,
  signsOf,
} from './explain-text.ts';
import { type StepBudget, takeSteps } from './steps.ts';

/**
 * Prepares the parts of a policy that are the same for every explanation. The first explanation creates these parts,
 * and all traces share them.
 */

/** Result of comparing one value of a policy element with a request. */
export interface ValueTrace {
  /** Value as written in the policy. */
  readonly value: string;
  readonly matched: boolean;
  /** The value after its variables are replaced. Absent if it has no variables. */
  readonly resolved?: string;
  /** Name of a variable that has no value in this request. */
  readonly unresolved?: string;
}

/**
 * Policy value with two prepared traces (results): one for a match, and one for no match. For a value with variables, a
 * comparison creates a new trace instead, because the values of the variables differ for each request.
 */
interface PreparedValue {
  readonly value: string;
  readonly matched: ValueTrace;
  readonly unmatched: ValueTrace;
}

export interface PreparedAction extends PreparedValue {
  readonly everything: boolean;
  /** Patterns in lower case, before and after the colon. `name` is absent if the action has no colon. */
  readonly service: Pattern;
  readonly name: Pattern | undefined;
  /** `whole`: the action in lower case, if it has no wildcard. `head`: the part before the `*`, if its only wildcard is at the end. */
  readonly whole: string | undefined;
  readonly head: string | undefined;
}

export interface PreparedText extends PreparedValue {
  readonly wildcards: boolean;
  /** Resolved value, which is the same for every request. Absent if the value has variables. */
  readonly constant: Resolved | undefined;
  /**
   * The value in the form that its operator compares: in lower case, as a number or time, as an address range, or as
   * bytes.
   */
  readonly lower: string;
  readonly order: number | undefined;
  readonly range: Range | undefined;
  readonly bytes: string | undefined;
}

/** One condition key under one operator. `base` is the operator's name in lower case, without prefix, suffix and negation. */
export interface PreparedCondition {
  readonly operator: string;
  readonly key: string;
  readonly lowerKey: string;
  readonly base: string;
  /** Relation of an operator on numbers or dates: `equals`, `lessthan` … */
  readonly relation: string;
  readonly set: 'all' | 'any' | undefined;
  readonly ifExists: boolean;
  readonly negated: boolean;
  readonly values: readonly PreparedText[];
  readonly untested: readonly ValueTrace[];
}

/** Prepared Action, NotAction, Resource or NotResource. */
export interface PreparedElement<Value> {
  readonly element: string;
  readonly negated: boolean;
  readonly values: readonly Value[];
}

export interface PreparedStatement {
  readonly index: number;
  readonly sid: string | undefined;
  readonly effect: 'Allow' | 'Deny';
  readonly start: number;
  readonly end: number;
  readonly action: PreparedElement<PreparedAction>;
  readonly resource: PreparedElement<PreparedText> | undefined;
  readonly conditions: readonly PreparedCondition[];
  /**
   * Whether the statement is an Allow with Principal or NotPrincipal. These elements are invalid in an identity policy,
   * so the Allow has no effect.
   */
  readonly misplaced: boolean;
}

/**
 * Unlimited budget for preparing a policy. The work is limited elsewhere: `preparedOf` first takes steps from the
 * caller's budget in proportion to the policy's length.
 */
const PREPARING: StepBudget = { stepsLeft: Number.POSITIVE_INFINITY };

const PREPARED = new WeakMap<PolicyDocument, readonly PreparedStatement[]>();

/**
 * Prepares a policy for explanations. Caches the result.
 *
 * @throws StepsExceeded  the policy is too long for the budget
 */
export function preparedOf({ policy }: SourcedPolicy, budget: StepBudget): readonly PreparedStatement[] {
  if (policy.document === undefined || !PREPARED.has(policy.document)) takeSteps(budget, compileSteps(policy.text));
  const document = documentOf(policy);
  let prepared = PREPARED.get(document);
  if (prepared === undefined) {
    // "Variables were introduced in version 2012-10-17": in earlier versions, `${` is literal.
    const variables = document.version?.value === '2012-10-17';
    prepared = document.statements.map((node) => prepareStatement(node, variables));
    PREPARED.set(document, prepared);
  }
  return prepared;
}

function prepareStatement(node: StatementNode, variables: boolean): PreparedStatement {
  const actions = node.action ?? node.notAction;
  if (actions === undefined) throw new Error('The compiled statement has neither Action nor NotAction.');
  const resources = node.resource ?? node.notResource;
  const effect = node.effect?.value === 'Allow' ? 'Allow' : 'Deny';
  return {
    index: node.index,
    sid: node.sid?.value,
    effect,
    start: node.node.start,
    end: node.node.end,
    action: { element: actions.key.value, negated: node.action === undefined, values: actions.values.map(prepareAction) },
    resource:
      resources === undefined
        ? undefined
        : {
            element: resources.key.value,
            negated: node.resource === undefined,
            values: resources.values.map((value) => prepareText(value, 'arn', true, variables)),
          },
    conditions: (node.condition?.blocks ?? []).flatMap(({ operator, tests }) =>
      tests.map(({ key, values }) => prepareCondition(operator.value, key.value, values, variables)),
    ),
    misplaced: effect === 'Allow' && (node.principal !== undefined || node.notPrincipal !== undefined),
  };
}

function prepareValue(value: string): PreparedValue {
  return { value, matched: { value, matched: true }, unmatched: { value, matched: false } };
}

function prepareAction({ value }: TextNode): PreparedAction {
  const lower = value.toLowerCase();
  const colon = lower.indexOf(':');
  const star = lower.indexOf('*');
  const plain = !lower.includes('?');
  return {
    ...prepareValue(value),
    everything: value === '*',
    service: newPattern(signsOf(lower.slice(0, Math.max(colon, 0)))),
    name: colon < 0 ? undefined : newPattern(signsOf(lower.slice(colon + 1))),
    whole: star < 0 && plain ? lower : undefined,
    head: plain && star === lower.length - 1 && star > colon ? lower.slice(0, -1) : undefined,
  };
}

function prepareCondition(operator: string, key: string, nodes: readonly TextNode[], variables: boolean): PreparedCondition {
  const lower = operator.toLowerCase();
  const bare = lower.slice(lower.indexOf(':') + 1);
  const ifExists = bare.endsWith('ifexists');
  const whole = ifExists ? bare.slice(0, -8) : bare;
  const base = whole.replace('not', '');
  const arn = base.startsWith('arn');
  // Only operators on strings and ARNs accept variables. Only the `…Like` operators and the ARN operators accept
  // wildcards.
  const takes = variables && (arn || base.startsWith('string'));
  const values = nodes.map((node) => prepareText(node, base, arn || base === 'stringlike', takes));
  return {
    operator,
    key,
    lowerKey: key.toLowerCase(),
    base,
    relation: base.replace(/^(numeric|date)/, ''),
    set: lower.startsWith('forallvalues:') ? 'all' : lower.startsWith('foranyvalue:') ? 'any' : undefined,
    ifExists,
    negated: whole.includes('not'),
    values,
    untested: values.map(({ unmatched }) => unmatched),
  };
}

/**
 * Prepares a value. `base` is the operator. For a resource, it is `arn`, because resources are compared segment by
 * segment, as ARN operators compare.
 */
function prepareText({ value }: TextNode, base: string, wildcards: boolean, variables: boolean): PreparedText {
  const resolved = variables && value.includes('${') ? undefined : resolveText(value, new Map(), wildcards, variables, PREPARING);
  const segmented = resolved !== undefined && 'plain' in resolved && base.startsWith('arn');
  return {
    ...prepareValue(value),
    wildcards,
    constant: segmented ? { pattern: newPattern(value.split('')), variables: false } : resolved,
    lower: value.toLowerCase(),
    order: base.startsWith('numeric') ? decimal(value) : base.startsWith('date') ? moment(value) : undefined,
    range: base === 'ipaddress' ? addressRange(value) : undefined,
    bytes: base === 'binaryequals' ? bytes(value) : undefined,
  };
}
