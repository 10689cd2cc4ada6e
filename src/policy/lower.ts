import type { ConditionBlock, PolicyDocument, Position, PrincipalNode, StatementNode, TextNode, TextsNode } from './document.ts';
import { positionAt } from './document.ts';
import { type Glob, newGlob } from './glob.ts';
import type { JsonNode } from './json-text.ts';
import type { ActionPattern, ArnPattern, ConditionTest, LoweredPolicy, LoweredStatement, PrincipalEntry } from './lowered.ts';
import { type Operator, readOperator } from './operators.ts';
import { type Piece, readPattern } from './pattern.ts';

/** Part of a policy that the engine does not support. The engine does not evaluate a policy with such a part. */
export interface LowerProblem {
  readonly message: string;
  readonly start: Position;
  readonly end: Position;
}

type Report = (message: string, node: JsonNode) => void;

const PRINCIPAL_TYPES: ReadonlySet<string> = new Set(['AWS', 'Service', 'Federated', 'CanonicalUser']);

/**
 * Converts a document to a `LoweredPolicy`, the parsed form from which the engine builds decision graphs.
 *
 * If there is a problem, returns no policy. It never returns only the valid statements, because an invalid statement
 * could be a Deny.
 *
 * Source: IAM User Guide, "IAM JSON policy elements reference".
 * Assumed: `${…}` is a problem, and not literal text, in two places: (1) in a value whose operator does not accept
 * variables, and (2) before the fifth colon of a resource.
 */
export function lowerPolicy(document: PolicyDocument): { readonly policy?: LoweredPolicy; readonly problems: readonly LowerProblem[] } {
  const problems: LowerProblem[] = [];
  const report: Report = (message, node) => {
    problems.push({ message, start: positionAt(document.lineStarts, node.start), end: positionAt(document.lineStarts, node.end) });
  };
  const version = document.version?.value ?? '2008-10-17';
  if (version !== '2012-10-17' && version !== '2008-10-17') {
    report('Version must be 2012-10-17 or 2008-10-17.', document.version ?? document.root);
    return { problems };
  }
  const statements: LoweredStatement[] = [];
  for (const node of document.statements) {
    const statement = lowerStatement(node, version === '2012-10-17', report);
    if (statement !== undefined) statements.push(statement);
  }
  return problems.length > 0 ? { problems } : { policy: { version, statements }, problems };
}

function lowerStatement(node: StatementNode, variables: boolean, report: Report): LoweredStatement | undefined {
  const effect = node.effect?.value;
  if (effect !== 'Allow' && effect !== 'Deny') {
    report('Effect must be Allow or Deny.', node.effect ?? node.node);
    return undefined;
  }
  const actions = either('Action', node, node.action, node.notAction, report);
  const principals = node.principal ?? node.notPrincipal;
  if (node.principal !== undefined && node.notPrincipal !== undefined)
    report('A statement cannot have both Principal and NotPrincipal.', node.node);
  const hasResource = node.resource !== undefined || node.notResource !== undefined;
  const resources = hasResource || principals === undefined ? either('Resource', node, node.resource, node.notResource, report) : undefined;
  if (actions === undefined) return undefined;
  return {
    effect,
    ...(node.sid === undefined ? {} : { sid: node.sid.value }),
    start: node.node.start,
    end: node.node.end,
    actions: { not: actions === node.notAction, patterns: actions.values.flatMap((value) => lowerAction(value, report)) },
    ...(resources === undefined
      ? {}
      : {
          resources: {
            not: resources === node.notResource,
            patterns: resources.values.flatMap((value) => lowerResource(value, variables, report)),
          },
        }),
    ...(principals === undefined ? {} : { principals: lowerPrincipals(principals, principals === node.notPrincipal, report) }),
    conditions: node.condition?.blocks.flatMap((block) => lowerBlock(block, variables, report)) ?? [],
  };
}

function either(
  name: string,
  node: StatementNode,
  plain: TextsNode | undefined,
  negated: TextsNode | undefined,
  report: Report,
): TextsNode | undefined {
  if ((plain === undefined) === (negated === undefined)) report(`A statement must have either ${name} or Not${name}.`, node.node);
  return plain ?? negated;
}

function lowerAction({ value, node }: TextNode, report: Report): ActionPattern[] {
  if (value === '*') return [{ everything: true, service: actionGlob(''), name: actionGlob('') }];
  const colon = value.indexOf(':');
  if (colon < 0) {
    report('An action must be * or have the form service:name.', node);
    return [];
  }
  return [{ everything: false, service: actionGlob(value.slice(0, colon)), name: actionGlob(value.slice(colon + 1)) }];
}

function actionGlob(text: string): Glob {
  const pattern = readPattern(text.toLowerCase(), true, false);
  return newGlob('pieces' in pattern ? pattern.pieces : []);
}

function lowerResource({ value, node }: TextNode, variables: boolean, report: Report): ArnPattern[] {
  if (value === '*') return [{ kind: 'everything' }];
  if (!value.startsWith('arn:')) {
    report('A resource must be * or an ARN.', node);
    return [];
  }
  const segments: (readonly Piece[])[] = [];
  let from = 0;
  for (let i = 0; i < 6; i++) {
    const colon = i < 5 ? value.indexOf(':', from) : -1;
    const pattern = readPattern(colon < 0 ? value.slice(from) : value.slice(from, colon), true, variables);
    if ('problem' in pattern) {
      report(pattern.problem, node);
      return [];
    }
    if (i < 5 && pattern.pieces.some(({ kind }) => kind === 'variable')) {
      report('The ARN of a resource can contain policy variables only after its fifth colon.', node);
      return [];
    }
    segments.push(pattern.pieces);
    if (colon < 0) break;
    from = colon + 1;
  }
  return [{ kind: 'segments', segments }];
}

function lowerPrincipals(node: PrincipalNode, not: boolean, report: Report): NonNullable<LoweredStatement['principals']> {
  const entries: PrincipalEntry[] = [];
  for (const { key, values } of node.entries) {
    if (!PRINCIPAL_TYPES.has(key.value)) report(`Unknown principal type '${key.value}' (types: ${[...PRINCIPAL_TYPES].join(', ')}).`, key);
    for (const { value } of values) entries.push({ type: key.value as PrincipalEntry['type'], value });
  }
  return { not, anyone: node.anyone || entries.some(({ type, value }) => type === 'AWS' && value === '*'), entries };
}

function lowerBlock({ operator: name, tests }: ConditionBlock, variables: boolean, report: Report): ConditionTest[] {
  // An operator without keys tests nothing. IAM accepts any name for such an operator.
  if (tests.length === 0) return [];
  const read = readOperator(name.value);
  if (read === undefined) {
    report(`Unknown condition operator '${name.value}'.`, name);
    return [];
  }
  const keys = new Set<string>();
  return tests.map(({ key, values }) => {
    const lower = key.value.toLowerCase();
    if (keys.has(lower)) report(`The condition key '${key.value}' occurs more than once, with different capitalization.`, key);
    keys.add(lower);
    return { ...read, key: lower, values: values.flatMap((value) => lowerValue(value, read.operator, variables, report)) };
  });
}

const TAKES_WILDCARDS: ReadonlySet<string> = new Set(['like', 'arn']);
const TAKES_VARIABLES: ReadonlySet<string> = new Set(['text', 'text-ignore-case', 'like', 'arn']);

function lowerValue({ value, node }: TextNode, { name, family }: Operator, variables: boolean, report: Report): (readonly Piece[])[] {
  if (variables && !TAKES_VARIABLES.has(family) && value.includes('${')) {
    report(`The operator ${name} does not accept policy variables.`, node);
    return [];
  }
  const pattern = readPattern(value, TAKES_WILDCARDS.has(family), variables && TAKES_VARIABLES.has(family));
  if ('pieces' in pattern) return [pattern.pieces];
  report(pattern.problem, node);
  return [];
}
