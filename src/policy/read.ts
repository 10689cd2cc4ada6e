import {
  type ConditionBlock,
  type ConditionNode,
  lineStartsOf,
  type PolicyDocument,
  type Position,
  type PrincipalNode,
  positionAt,
  type StatementNode,
  type TextNode,
  type TextsNode,
} from './document.ts';
import type { JsonMember, JsonNode, JsonObject, JsonString } from './json-text.ts';
import { readJson } from './read-json.ts';

/** Problem of a document. `element` is the name of the nearest element or key, if there is one. */
export interface ReadProblem {
  readonly kind: 'size' | 'character' | 'syntax' | 'depth' | 'repeated-name' | 'unknown-element' | 'wrong-type' | 'missing-statement';
  readonly message: string;
  readonly element?: string;
  readonly start: Position;
  readonly end: Position;
}

export interface ReadPolicy {
  /**
   * Absent if the text is not a JSON object. If there are problems, the document has only the valid parts and must
   * never be evaluated.
   */
  readonly document?: PolicyDocument;
  readonly problems: readonly ReadProblem[];
}

/**
 * Maximum length of a document, in characters.
 *
 * Source: IAM API Reference, policyDocumentType: 1 to 131,072. Validation checks the quotas, which are smaller.
 */
export const POLICY_TEXT_MAX = 131_072;

const DOCUMENT_ELEMENTS: ReadonlySet<string> = new Set(['Version', 'Id', 'Statement']);
const STATEMENT_ELEMENTS: ReadonlySet<string> = new Set([
  'Sid',
  'Effect',
  'Principal',
  'NotPrincipal',
  'Action',
  'NotAction',
  'Resource',
  'NotResource',
  'Condition',
]);

type Report = (kind: ReadProblem['kind'], message: string, start: number, end: number, element?: string) => void;

/**
 * Parses a policy document in linear time. Never throws.
 *
 * Only a document without problems can be compiled. Names of elements are case-sensitive, and an unknown element is a problem.
 *
 * Source: IAM User Guide, "Grammar of the IAM JSON policy language"; characters: API pattern `[\u0009\u000A\u000D\u0020-\u00FF]+`.
 */
export function readPolicy(text: string): ReadPolicy {
  if (text.length > POLICY_TEXT_MAX) {
    const start = positionAt([0], 0);
    return { problems: [{ kind: 'size', message: `The policy has more than ${POLICY_TEXT_MAX} characters.`, start, end: start }] };
  }
  const lineStarts = lineStartsOf(text);
  const problems: ReadProblem[] = [];
  const report: Report = (kind, message, start, end, element) => {
    problems.push({
      kind,
      message,
      ...(element === undefined ? {} : { element }),
      start: positionAt(lineStarts, start),
      end: positionAt(lineStarts, end),
    });
  };

  const forbidden = firstForbidden(text);
  if (forbidden >= 0)
    report(
      'character',
      `A policy cannot contain the character U+${(text.codePointAt(forbidden) as number).toString(16).toUpperCase().padStart(4, '0')}.`,
      forbidden,
      forbidden + 1,
    );
  const json = readJson(text);
  for (const problem of json.problems) {
    report(problem.kind, problem.message, problem.at, problem.end, problem.kind === 'repeated-name' ? problem.name : undefined);
  }
  if (json.root === undefined) return { problems };
  if (json.root.kind !== 'object') {
    report('wrong-type', 'A policy must be a JSON object.', json.root.start, json.root.end);
    return { problems };
  }
  return { document: shapeDocument(text, json.root, lineStarts, report), problems };
}

/** Returns the offset of the first character other than U+0009, U+000A, U+000D and U+0020 to U+00FF, or -1. */
function firstForbidden(text: string): number {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0xff || (code < 0x20 && code !== 0x09 && code !== 0x0a && code !== 0x0d)) return i;
  }
  return -1;
}

function shapeDocument(text: string, root: JsonObject, lineStarts: readonly number[], report: Report): PolicyDocument {
  reportUnknown(root, DOCUMENT_ELEMENTS, report);
  const version = stringOf(root, 'Version', report);
  const id = stringOf(root, 'Id', report);
  const member = memberOf(root, 'Statement');
  const statements: StatementNode[] = [];
  if (member === undefined) {
    report('missing-statement', 'A policy must have a Statement.', root.start, root.end);
  } else {
    const nodes = member.value.kind === 'array' ? member.value.items : [member.value];
    nodes.forEach((node, index) => {
      if (node.kind === 'object') statements.push(shapeStatement(node, index, report));
      else report('wrong-type', 'A statement must be a JSON object.', node.start, node.end, 'Statement');
    });
  }
  return { text, root, lineStarts, statements, ...present('version', version), ...present('id', id) };
}

function shapeStatement(node: JsonObject, index: number, report: Report): StatementNode {
  reportUnknown(node, STATEMENT_ELEMENTS, report);
  return {
    node,
    index,
    ...present('sid', stringOf(node, 'Sid', report)),
    ...present('effect', stringOf(node, 'Effect', report)),
    ...present('action', texts(memberOf(node, 'Action'), false, report)),
    ...present('notAction', texts(memberOf(node, 'NotAction'), false, report)),
    ...present('resource', texts(memberOf(node, 'Resource'), false, report)),
    ...present('notResource', texts(memberOf(node, 'NotResource'), false, report)),
    ...present('principal', shapePrincipal(memberOf(node, 'Principal'), report)),
    ...present('notPrincipal', shapePrincipal(memberOf(node, 'NotPrincipal'), report)),
    ...present('condition', shapeCondition(memberOf(node, 'Condition'), report)),
  };
}

function shapePrincipal(member: JsonMember | undefined, report: Report): PrincipalNode | undefined {
  if (member === undefined) return undefined;
  const { name: key, value: node } = member;
  if (node.kind === 'string' && node.value === '*') return { key, node, anyone: true, entries: [] };
  if (node.kind !== 'object') {
    report('wrong-type', `${key.value} must be * or a JSON object.`, node.start, node.end, key.value);
    return undefined;
  }
  const entries: TextsNode[] = [];
  for (const entry of node.members) {
    const shaped = texts(entry, false, report);
    if (shaped !== undefined) entries.push(shaped);
  }
  return { key, node, anyone: false, entries };
}

function shapeCondition(member: JsonMember | undefined, report: Report): ConditionNode | undefined {
  if (member === undefined) return undefined;
  const { name: key, value: node } = member;
  if (node.kind !== 'object') {
    report('wrong-type', 'Condition must be a JSON object.', node.start, node.end, key.value);
    return undefined;
  }
  const blocks: ConditionBlock[] = [];
  for (const { name: operator, value: block } of node.members) {
    if (block.kind !== 'object') {
      report('wrong-type', 'The value of a condition operator must be a JSON object.', block.start, block.end, operator.value);
      continue;
    }
    const tests: TextsNode[] = [];
    for (const test of block.members) {
      const shaped = texts(test, true, report);
      if (shaped !== undefined) tests.push(shaped);
    }
    blocks.push({ operator, node: block, tests });
  }
  return { key, node, blocks };
}

/** Reads a string or a list of strings. With `scalars`, as in conditions, it also accepts numbers and booleans. */
function texts(member: JsonMember | undefined, scalars: boolean, report: Report): TextsNode | undefined {
  if (member === undefined) return undefined;
  const { name: key, value: node } = member;
  const isList = node.kind === 'array';
  const values: TextNode[] = [];
  let allValid = true;
  for (const item of isList ? node.items : [node]) {
    const value = textOf(item, scalars);
    if (value !== undefined) {
      values.push({ value, node: item });
      continue;
    }
    allValid = false;
    const wanted = scalars ? 'a string, number or boolean' : 'a string';
    report('wrong-type', `${key.value} must be ${wanted}, or a list of such values.`, item.start, item.end, key.value);
  }
  return allValid || values.length > 0 ? { key, node, isList, values } : undefined;
}

function textOf(node: JsonNode, scalars: boolean): string | undefined {
  if (node.kind === 'string') return node.value;
  if (!scalars) return undefined;
  if (node.kind === 'number') return node.text;
  return node.kind === 'boolean' ? String(node.value) : undefined;
}

function stringOf(object: JsonObject, name: string, report: Report): JsonString | undefined {
  const value = memberOf(object, name)?.value;
  if (value === undefined || value.kind === 'string') return value;
  report('wrong-type', `${name} must be a string.`, value.start, value.end, name);
  return undefined;
}

/** Returns the first member with this name. `readJson` reports the other members with the same name. */
function memberOf(object: JsonObject, name: string): JsonMember | undefined {
  return object.members.find((member) => member.name.value === name);
}

function reportUnknown(object: JsonObject, known: ReadonlySet<string>, report: Report): void {
  for (const { name } of object.members) {
    if (!known.has(name.value)) report('unknown-element', `Unknown element '${name.value}'.`, name.start, name.end, name.value);
  }
}

function present<Name extends string, Value>(name: Name, value: Value | undefined): { readonly [N in Name]?: Value } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [N in Name]?: Value };
}
