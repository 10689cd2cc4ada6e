import type { PolicyType } from '../decision.ts';
import {
  type ConditionBlock,
  type PolicyDocument,
  type PrincipalNode,
  positionAt,
  type StatementNode,
  type TextsNode,
} from '../document.ts';
import type { JsonNode, JsonObject, Span } from '../json-text.ts';
import { type ReadOperator, readOperator } from '../operators.ts';
import type { StepBudget } from '../steps.ts';
import type { Location, PathElement } from './finding.ts';
import { globOf } from './match-action.ts';
import type { AuthorizationReference, ConditionKeyReference } from './reference.ts';

/** A place in the document, and how to get there. */
export interface Place {
  readonly path: readonly PathElement[];
  readonly span: Span;
}

/** One text of an element, with its place. */
export interface Item extends Place {
  readonly value: string;
  readonly node: JsonNode;
  /** Whether the text, taken as a pattern, matches another; of an action in lower case. Made ready when first asked. */
  readonly matches: (text: string) => boolean;
}

/** An element that holds texts: `Action`, `NotResource`, a principal's type. */
export interface Texts extends Place {
  readonly name: string;
  readonly items: readonly Item[];
}

/** One key under one operator. */
export interface ConditionTestView extends Place {
  /** As written. */
  readonly operatorName: string;
  readonly read: ReadOperator | undefined;
  readonly key: string;
  readonly keyPlace: Place;
  /** Undefined where nobody knows the key. */
  readonly known: ConditionKeyReference | undefined;
  readonly items: readonly Item[];
}

export interface OperatorView extends Place {
  readonly name: string;
  readonly read: ReadOperator | undefined;
  readonly keyPlace: Place;
  readonly tests: readonly ConditionTestView[];
}

export interface PrincipalView extends Place {
  readonly name: 'Principal' | 'NotPrincipal';
  readonly anyone: boolean;
  readonly isObject: boolean;
  readonly entries: readonly (Texts & { readonly keyPlace: Place })[];
}

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
  /** All tests of all operators. */
  readonly tests: readonly ConditionTestView[];
}

/** A policy laid out for rules: every part that may be at fault knows its place. */
export interface PolicyView {
  readonly document: PolicyDocument;
  readonly policyType: PolicyType;
  readonly reference: AuthorizationReference;
  /** Steps that the rules may still take. Each rule counts the work that is not linear in the policy. */
  readonly budget: StepBudget;
  /** `${…}` is a variable. */
  readonly variables: boolean;
  readonly statements: readonly StatementView[];
}

/** Lays a document out. */
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

/** A member of an object, as a place under a path. */
export function memberPlace(object: JsonObject, name: string, parent: readonly PathElement[]): Place | undefined {
  const member = object.members.find((candidate) => candidate.name.value === name);
  return member && { path: [...parent, { value: name }], span: member.value };
}

/** A place as the API gives it. */
export function locationOf(place: Place, lineStarts: readonly number[]): Location {
  return { path: place.path, span: { start: positionAt(lineStarts, place.span.start), end: positionAt(lineStarts, place.span.end) } };
}
