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

/** What of a policy is the same for every explanation, read when the policy is first explained. Traces share what they can of it. */

/** One value of a policy element against the request. */
export interface ValueTrace {
  /** As written in the policy. */
  readonly value: string;
  readonly matched: boolean;
  /** What it was after its variables were filled in, where it had any. */
  readonly resolved?: string;
  /** The variable that has no value in this request. */
  readonly unresolved?: string;
}

/** A value, and the traces of it where no variable makes them another every time. */
interface PreparedValue {
  readonly value: string;
  readonly matched: ValueTrace;
  readonly unmatched: ValueTrace;
}

export interface PreparedAction extends PreparedValue {
  readonly everything: boolean;
  /** In lower case; `name` is absent where there is no colon. */
  readonly service: Pattern;
  readonly name: Pattern | undefined;
  /** In lower case: the whole where it has no wildcard, and what stands before the `*` where one ends it. */
  readonly whole: string | undefined;
  readonly head: string | undefined;
}

export interface PreparedText extends PreparedValue {
  readonly wildcards: boolean;
  /** As it is for every request; absent where variables must be filled in. */
  readonly constant: Resolved | undefined;
  /** What typed operators compare, in lower case, as a number or moment, as an address range and as bytes; of their own kind only. */
  readonly lower: string;
  readonly order: number | undefined;
  readonly range: Range | undefined;
  readonly bytes: string | undefined;
}

/** One key of one operator; `base` is the operator's name in lower case once prefix, suffix and negation are off. */
export interface PreparedCondition {
  readonly operator: string;
  readonly key: string;
  readonly lowerKey: string;
  readonly base: string;
  /** Of an operator that orders: `equals`, `lessthan` … */
  readonly relation: string;
  readonly set: 'all' | 'any' | undefined;
  readonly ifExists: boolean;
  readonly negated: boolean;
  readonly values: readonly PreparedText[];
  readonly untested: readonly ValueTrace[];
}

/** Action, NotAction, Resource or NotResource. */
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
  /** Nobody but the holder of these policies is meant by them: with a Principal, a statement gives nothing. */
  readonly misplaced: boolean;
}

/** What is prepared once for a policy takes steps in proportion to its text. */
const PREPARING: StepBudget = { stepsLeft: Number.POSITIVE_INFINITY };

const PREPARED = new WeakMap<PolicyDocument, readonly PreparedStatement[]>();

/**
 * Reads a policy for explanations, once.
 *
 * @throws StepsExceeded  the budget does not allow to read so long a policy
 */
export function preparedOf({ policy }: SourcedPolicy, budget: StepBudget): readonly PreparedStatement[] {
  if (policy.document === undefined || !PREPARED.has(policy.document)) takeSteps(budget, compileSteps(policy.text));
  const document = documentOf(policy);
  let prepared = PREPARED.get(document);
  if (prepared === undefined) {
    // "Variables were introduced in version 2012-10-17": before it, they are text.
    const variables = document.version?.value === '2012-10-17';
    prepared = document.statements.map((node) => prepareStatement(node, variables));
    PREPARED.set(document, prepared);
  }
  return prepared;
}

function prepareStatement(node: StatementNode, variables: boolean): PreparedStatement {
  const actions = node.action ?? node.notAction;
  if (actions === undefined) throw new Error('A compiled statement has an Action.');
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
  // Variables are for the operators of strings and ARNs, wildcards for the Like ones and those of ARNs.
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

/** @param base the operator, or `arn` for a resource, whose segments are compared as those of an ARN operator */
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
