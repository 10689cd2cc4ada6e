import type { PolicyType } from '../decision.ts';
import {
  type ConditionBlock,
  type PolicyDocument,
  type PrincipalNode,
  positionAt,
  type StatementNode,
  type TextsNode,
} from '../document.ts';
import type { JsonMember, JsonNode, JsonObject, Span } from '../json-text.ts';
import { type ReadOperator, readOperator } from '../operators.ts';
import type { StepBudget } from '../steps.ts';
import type { Location, PathElement } from './finding.ts';
import type { AuthorizationReference, ConditionKeyReference } from './reference.ts';
import { globOf } from './wildcards.ts';

/** Part of the document: its position and the path to it. */
export interface Place {
  readonly path: readonly PathElement[];
  readonly span: Span;
}

/** One value of an element, with its place. */
export interface Item extends Place {
  readonly value: string;
  readonly node: JsonNode;
  /**
   * Reports whether the value, as a pattern with wildcards, matches a string. For actions, pass the string in lower case.
   * The first call compiles the pattern.
   */
  readonly matches: (text: string) => boolean;
}

/** Element whose values are strings: `Action`, `NotResource`, or a type within `Principal`. */
export interface Texts extends Place {
  readonly name: string;
  readonly items: readonly Item[];
}

/** One condition key under one operator. */
export interface ConditionTestView extends Place {
  /** Name of the operator as written in the policy. */
  readonly operatorName: string;
  readonly read: ReadOperator | undefined;
  readonly key: string;
  readonly keyPlace: Place;
  /** Reference entry of the key, or `undefined` for an unknown key. */
  readonly known: ConditionKeyReference | undefined;
  readonly items: readonly Item[];
}

/** One operator of a `Condition` and its tests. `read` is `undefined` for an unknown operator. */
export interface OperatorView extends Place {
  readonly name: string;
  readonly read: ReadOperator | undefined;
  readonly keyPlace: Place;
  readonly tests: readonly ConditionTestView[];
}

/** `Principal` or `NotPrincipal` element of a statement. */
export interface PrincipalView extends Place {
  readonly name: 'Principal' | 'NotPrincipal';
  /** Whether the element is `"*"`. False for the map `{"AWS": "*"}`. */
  readonly anyone: boolean;
  readonly isObject: boolean;
  readonly entries: readonly (Texts & { readonly keyPlace: Place })[];
}

/** One statement, with the place of each element. */
export interface StatementView extends Place {
  readonly node: StatementNode;
  readonly effect: 'Allow' | 'Deny' | undefined;
  readonly action: Texts | undefined;
  readonly notAction: Texts | undefined;
  readonly resource: Texts | undefined;
  readonly notResource: Texts | undefined;
  readonly principal: PrincipalView | undefined;
  readonly condition: Place | undefined;
  readonly operators: readonly OperatorView[];
  /** Condition tests of all operators in the statement. */
  readonly tests: readonly ConditionTestView[];
}

/** Policy in the form that rules read: every part that a finding can report has its place. */
export interface PolicyView {
  readonly document: PolicyDocument;
  readonly policyType: PolicyType;
  readonly reference: AuthorizationReference;
  /** Steps that the rules may still take. A rule takes steps for work that grows faster than the policy's length. */
  readonly budget: StepBudget;
  /** Whether `${…}` is a variable in this policy. */
  readonly variables: boolean;
  readonly statements: readonly StatementView[];
}

/** Converts a document to the form that rules read. */
export function viewOf(
  document: PolicyDocument,
  policyType: PolicyType,
  reference: AuthorizationReference,
  budget: StepBudget,
): PolicyView {
  const member = document.root.members.find(({ name }) => name.value === 'Statement');
  const isList = member?.value.kind === 'array';
  return {
    document,
    policyType,
    reference,
    budget,
    variables: document.version?.value === '2012-10-17',
    statements: document.statements.map((node) => {
      const path: PathElement[] = [{ value: 'Statement' }];
      if (isList) path.push({ index: node.index });
      return statementView(node, path, reference, budget);
    }),
  };
}

function statementView(
  node: StatementNode,
  path: readonly PathElement[],
  reference: AuthorizationReference,
  budget: StepBudget,
): StatementView {
  const effect = node.effect?.value;
  const condition = node.condition && { path: [...path, { value: 'Condition' }], span: node.condition.node };
  const operators = (node.condition?.blocks ?? []).map((block) => operatorView(block, condition?.path ?? path, reference, budget));
  return {
    node,
    path,
    span: node.node,
    effect: effect === 'Allow' || effect === 'Deny' ? effect : undefined,
    action: textsView(node.action, path, budget),
    notAction: textsView(node.notAction, path, budget),
    resource: textsView(node.resource, path, budget),
    notResource: textsView(node.notResource, path, budget),
    principal: principalView(node.principal, path, 'Principal', budget) ?? principalView(node.notPrincipal, path, 'NotPrincipal', budget),
    condition,
    operators,
    tests: operators.flatMap(({ tests }) => tests),
  };
}

function textsView(texts: TextsNode | undefined, parent: readonly PathElement[], budget: StepBudget): Texts | undefined {
  if (texts === undefined) return undefined;
  const path = [...parent, { value: texts.key.value }];
  return { name: texts.key.value, path, span: texts.node, items: itemsOf(texts, path, budget) };
}

function itemsOf(texts: TextsNode, path: readonly PathElement[], budget: StepBudget): readonly Item[] {
  const ignoreCase = texts.key.value === 'Action' || texts.key.value === 'NotAction';
  return texts.values.map(({ value, node }, index) => ({
    value,
    node,
    path: texts.isList ? [...path, { index }] : path,
    span: node,
    matches: lazyGlob(ignoreCase ? value.toLowerCase() : value, budget),
  }));
}

function lazyGlob(pattern: string, budget: StepBudget): (text: string) => boolean {
  let glob: ((text: string) => boolean) | undefined;
  return (text) => {
    glob ??= globOf(pattern, budget);
    return glob(text);
  };
}

function operatorView(
  block: ConditionBlock,
  parent: readonly PathElement[],
  reference: AuthorizationReference,
  budget: StepBudget,
): OperatorView {
  const name = block.operator.value;
  const read = readOperator(name);
  const path = [...parent, { value: name }];
  return {
    name,
    read,
    path,
    span: block.node,
    keyPlace: { path: [...parent, { key: name }], span: block.operator },
    tests: block.tests.map((texts) => {
      const testPath = [...path, { value: texts.key.value }];
      return {
        operatorName: name,
        read,
        key: texts.key.value,
        keyPlace: { path: [...path, { key: texts.key.value }], span: texts.key },
        known: reference.conditionKey(texts.key.value),
        path: testPath,
        span: texts.node,
        items: itemsOf(texts, testPath, budget),
      };
    }),
  };
}

function principalView(
  node: PrincipalNode | undefined,
  parent: readonly PathElement[],
  name: PrincipalView['name'],
  budget: StepBudget,
): PrincipalView | undefined {
  if (node === undefined) return undefined;
  const path = [...parent, { value: name }];
  return {
    name,
    anyone: node.anyone,
    isObject: node.node.kind === 'object',
    path,
    span: node.node,
    entries: node.entries.map((texts) => {
      const entryPath = [...path, { value: texts.key.value }];
      return {
        name: texts.key.value,
        path: entryPath,
        keyPlace: { path: [...path, { key: texts.key.value }], span: texts.key },
        span: texts.node,
        items: itemsOf(texts, entryPath, budget),
      };
    }),
  };
}

/** Returns the place of a member of an object, or `undefined` if the object has no such member. */
export function memberPlace(object: JsonObject, name: string, parent: readonly PathElement[]): Place | undefined {
  const member = object.members.find((candidate) => candidate.name.value === name);
  return member && { path: [...parent, { value: name }], span: member.value };
}

/**
 * Returns the path to the value or member name with this span. If no value or member name has this span, returns the
 * path to the smallest value that contains the span. Takes logarithmic time at each level.
 */
export function pathTo(root: JsonNode, { start, end }: Span): readonly PathElement[] {
  const path: PathElement[] = [];
  for (let node: JsonNode | undefined = root; node !== undefined && (node.start !== start || node.end !== end); ) {
    if (node.kind === 'object') {
      const member: JsonMember | undefined = node.members[lastAtOrBefore(node.members, start, ({ name }) => name.start)];
      if (member === undefined) return path;
      if (start < member.name.end) return [...path, { key: member.name.value }];
      if (start < member.value.start) return path;
      path.push({ value: member.name.value });
      node = member.value;
    } else if (node.kind === 'array') {
      const index: number = lastAtOrBefore(node.items, start, (item) => item.start);
      node = node.items[index];
      if (node !== undefined) path.push({ index });
    } else return path;
  }
  return path;
}

/** Returns the index of the last item that starts at or before an offset, or -1. The items are in the order of the text. */
function lastAtOrBefore<T>(items: readonly T[], offset: number, startOf: (item: T) => number): number {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (startOf(items[middle] as T) <= offset) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Converts a place to the API's `Location`. */
export function locationOf(place: Place, lineStarts: readonly number[]): Location {
  return { path: place.path, span: { start: positionAt(lineStarts, place.span.start), end: positionAt(lineStarts, place.span.end) } };
}
