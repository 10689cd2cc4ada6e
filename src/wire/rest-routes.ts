import { loadModel } from '#model/load.ts';
import type { OperationModel, ServiceModel } from '#model/model.ts';
import type { ServiceName } from '#model/services.ts';
import type { RawPair } from './routed.ts';

/** Route of one operation. */
interface Route {
  readonly operation: OperationModel;
  /**
   * Pairs that the query string must have: `?operation=batch-create`. Without them, 59 operations would have the same
   * route as another operation.
   */
  readonly literals: readonly RawPair[];
}

interface Node {
  readonly literals: Map<string, Node>;
  label: Node | undefined;
  readonly byMethod: Map<string, Route[]>;
}

/**
 * Found operation. `labels` has the values of its URI labels in the order of the model's URI, still percent-encoded.
 */
export interface RestMatch {
  readonly service: ServiceName;
  /** Model with the shapes of the operation. */
  readonly model: ServiceModel;
  readonly operation: OperationModel;
  readonly labels: readonly string[];
}

const TABLES = new WeakMap<ServiceModel['operations'], Node>();

/**
 * Finds the operation of a rest-json service by method and path.
 *
 * A literal segment has precedence over a label. Among routes with the same path and matching query pairs, the route with the most pairs is
 * used. A label is never empty. `among` selects the current operations, or those that AWS removed.
 *
 * Source: Smithy 2.0, "http trait": literals before labels, query literals.
 */
export function matchRest(
  service: ServiceName,
  method: string,
  segments: readonly string[],
  query: readonly RawPair[],
  among: 'operations' | 'removed' = 'operations',
): RestMatch | undefined {
  const labels: string[] = [];
  const model = loadModel(service);
  const operation = find(routes(model[among]), method, segments, 0, query, labels);
  return operation && { service, model, operation, labels };
}

function find(
  node: Node,
  method: string,
  segments: readonly string[],
  at: number,
  query: readonly RawPair[],
  labels: string[],
): OperationModel | undefined {
  if (at === segments.length) {
    const here = node.byMethod.get(method);
    if (here === undefined) return undefined;
    for (const route of here)
      if (route.literals.every(([name, value]) => query.some((pair) => pair[0] === name && pair[1] === value))) return route.operation;
    return undefined;
  }
  const segment = segments[at] as string;
  const literal = node.literals.get(segment);
  const found = literal && find(literal, method, segments, at + 1, query, labels);
  if (found || node.label === undefined || segment === '') return found;
  labels.push(segment);
  const labelled = find(node.label, method, segments, at + 1, query, labels);
  if (labelled === undefined) labels.pop();
  return labelled;
}

function routes(operations: ServiceModel['operations']): Node {
  const known = TABLES.get(operations);
  if (known) return known;
  const root = node();
  for (const operation of Object.values(operations)) add(root, operation);
  TABLES.set(operations, root);
  return root;
}

function node(): Node {
  return { literals: new Map(), label: undefined, byMethod: new Map() };
}

function add(root: Node, operation: OperationModel): void {
  const { method, uri } = operation.http;
  const question = uri.indexOf('?');
  const path = question < 0 ? uri : uri.slice(0, question);
  let at = root;
  for (const segment of path.slice(1).split('/')) {
    if (segment.startsWith('{')) {
      at.label ??= node();
      at = at.label;
    } else {
      let next = at.literals.get(segment);
      if (next === undefined) at.literals.set(segment, (next = node()));
      at = next;
    }
  }
  const here = at.byMethod.get(method) ?? [];
  here.push({ operation, literals: question < 0 ? [] : splitQuery(uri.slice(question + 1)) });
  here.sort((a, b) => b.literals.length - a.literals.length);
  at.byMethod.set(method, here);
}

/** Splits a query string at `&` and the first `=`, without decoding. A name without `=` has an empty value. */
export function splitQuery(text: string): RawPair[] {
  const pairs: RawPair[] = [];
  for (const part of text.split('&')) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    pairs.push(equals < 0 ? [part, ''] : [part.slice(0, equals), part.slice(equals + 1)]);
  }
  return pairs;
}
