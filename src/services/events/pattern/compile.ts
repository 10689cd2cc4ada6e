import { parseAddress } from './addresses.ts';
import { ListProblem } from './anything-but.ts';
import { comparableNumber } from './comparable-number.ts';
import { JsonProblem } from './json-problem.ts';
import { type JsonReader, type JsonToken, jsonReader } from './json-reader.ts';
import { parseMatchExpression } from './match-expression.ts';
import { fail, locatedReason, PatternProblem, TextProblem } from './pattern-problem.ts';
import { addressKey, exactKey, type ValueTest } from './value-tests.ts';
import { isTooComplex } from './wildcard-complexity.ts';

/** Compiled event pattern. It matches an event if one of its branches does. */
export interface Pattern {
  readonly branches: readonly Branch[];
}

/** Combination of the alternatives of `$or`. A pattern without `$or` has one branch. Its keys are sorted by path. */
export type Branch = readonly PatternKey[];

/** Field of a branch. */
export interface PatternKey {
  readonly path: string;
  /** The field matches if one of its values passes one of the tests. */
  readonly tests: readonly ValueTest[];
  /** Whether the field also matches if it does not exist. */
  readonly absent: boolean;
}

/** Maximum length of a pattern in characters. Source: the service model, EventPattern. */
export const PATTERN_MAX = 4_096;
/** Nesting that a pattern of the maximum length cannot reach. */
const DEPTH_MAX = 1_000;
/**
 * Maximum number of branches, and of fields in all branches.
 *
 * Assumed: both limits and the reason. The engine multiplies the alternatives of several `$or` without a limit.
 */
const BRANCHES_MAX = 1_000;
const FIELDS_MAX = 10_000;
const TOO_MANY_BRANCHES = 'Rule is too complex - try using fewer alternatives of $or';
const TOO_COMPLEX =
  'Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a wildcard character';

/** Names that are not allowed inside `$or`. Source: aws/event-ruler `337e8d9`, Constants. */
const RESERVED: ReadonlySet<string> = new Set([
  ...['exactly', 'equals-ignore-case', 'prefix', 'suffix', 'anything-but', 'exists', 'wildcard', 'numeric', 'cidr'],
  ...['=', '<', '<=', '>', '>=', 'regex', 'not-wildcard', 'not-equals-ignore-case'],
  ...['date-after', 'date-on-or-after', 'date-before', 'date-on-or-before', 'in-date-range'],
  ...['ip-address-in-range', 'ip-address-not-in-range'],
]);

/**
 * Compiles an event pattern.
 *
 * @throws PatternProblem  the pattern is not valid. The first error in the order of the characters counts. Errors of the
 *   complexity come last
 *
 * Source: aws/event-ruler `337e8d9`, JsonRuleCompiler. Recorded: test/cases/recorded/event-patterns.json.
 */
export function compilePattern(text: string): Pattern {
  if (text.length > PATTERN_MAX) throw new PatternProblem(`Pattern has more than ${PATTERN_MAX} characters`);
  const parsing: Parsing = { reader: jsonReader(text, DEPTH_MAX), branches: [] };
  try {
    if (parsing.reader.next() !== 'object') fail(parsing.reader, 'Filter is not an object');
    parseFields(parsing, '', false);
  } catch (problem) {
    throw new PatternProblem(reasonOf(problem, text));
  }
  const branches = parsing.branches.map(toBranch);
  const fields = new Set(parsing.branches.flatMap((branch) => [...branch.values()]));
  for (const { tests } of fields) {
    const wildcards = tests.flatMap((test) => (test.kind === 'other' ? (test.wildcards ?? []) : []));
    if (wildcards.length > 0 && isTooComplex(wildcards)) throw new PatternProblem(TOO_COMPLEX);
  }
  return { branches };
}

function reasonOf(problem: unknown, text: string): string {
  if (problem instanceof ListProblem) return `${locatedReason(text, problem)}${locatedReason(text, problem).slice(problem.message.length)}`;
  if (problem instanceof JsonProblem) return locatedReason(text, problem);
  if (problem instanceof TextProblem) return problem.message;
  throw problem;
}

type Field = Omit<PatternKey, 'path'>;

interface Parsing {
  readonly reader: JsonReader;
  /** Branches up to the current place: the field of each path. A later field replaces an earlier one with the same path. */
  branches: Map<string, Field>[];
}

function toBranch(fields: ReadonlyMap<string, Field>): Branch {
  return [...fields].map(([path, field]) => ({ path, ...field })).sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Parses the members of an object. Its opening brace was read. */
function parseFields(parsing: Parsing, path: string, insideOr: boolean): void {
  const { reader } = parsing;
  let count = 0;
  for (let token = reader.next(); token !== 'end-object'; token = reader.next()) {
    count++;
    const name = reader.name();
    if (name === '$or') {
      parseOr(parsing, path);
      continue;
    }
    if (insideOr && RESERVED.has(name)) fail(reader, `${name} is Ruler reserved fieldName which cannot be used inside $or.`);
    const fieldPath = path === '' ? name : `${path}.${name}`;
    const start = reader.next();
    if (start === 'object') parseFields(parsing, fieldPath, insideOr);
    else if (start === 'array') addField(parsing, fieldPath, parseAlternatives(reader));
    else fail(reader, `"${name}" must be an object or an array`);
  }
  if (count === 0) fail(reader, 'Empty objects are not allowed');
}

/** Parses the value of `$or`: each object continues copies of the branches up to here. */
function parseOr(parsing: Parsing, path: string): void {
  const { reader } = parsing;
  const before = parsing.branches.length > 0 ? parsing.branches : [new Map()];
  const after: Map<string, Field>[] = [];
  if (reader.next() !== 'array') fail(reader, 'It must be an Array followed with $or.');
  let count = 0;
  for (let token: JsonToken = reader.next(); token !== 'end-array'; token = reader.next()) {
    count++;
    if (token !== 'object') fail(reader, 'Only JSON object is allowed in array of $or relationship.');
    parsing.branches = before.map((branch) => new Map(branch));
    parseFields(parsing, path, true);
    after.push(...parsing.branches);
    requireFewBranches(after);
  }
  if (count < 2) fail(reader, 'There must have at least 2 Objects in $or relationship.');
  parsing.branches = after;
}

function addField(parsing: Parsing, path: string, field: Field): void {
  if (parsing.branches.length === 0) parsing.branches.push(new Map());
  for (const branch of parsing.branches) branch.set(path, field);
  if (parsing.branches.length > 1) requireFewBranches(parsing.branches);
}

function requireFewBranches(branches: readonly ReadonlyMap<string, Field>[]): void {
  let fields = 0;
  for (const branch of branches) fields += branch.size;
  if (branches.length > BRANCHES_MAX || fields > FIELDS_MAX) throw new TextProblem(TOO_MANY_BRANCHES);
}

/** Parses the list of alternatives of a field. Its opening bracket was read. */
function parseAlternatives(reader: JsonReader): Field {
  const tests: ValueTest[] = [];
  let absent = false;
  for (let token = reader.next(); token !== 'end-array'; token = reader.next()) {
    const alternative = parseAlternative(reader, token);
    if (alternative === 'absent') absent = true;
    else tests.push(alternative);
  }
  if (tests.length === 0 && !absent) fail(reader, 'Empty arrays are not allowed');
  return { tests, absent };
}

function parseAlternative(reader: JsonReader, token: JsonToken): ValueTest | 'absent' {
  switch (token) {
    case 'object':
      return parseMatchExpression(reader);
    case 'string': {
      const address = parseAddress(reader.text());
      return { kind: 'exact', key: address === undefined ? exactKey('string', reader.text(), undefined) : addressKey(address) };
    }
    case 'number':
      return { kind: 'exact', key: exactKey('number', reader.text(), comparableNumber(reader.text())) };
    case 'true':
    case 'false':
    case 'null':
      return { kind: 'exact', key: exactKey('literal', token, undefined) };
    default:
      return fail(reader, 'Match value must be String, number, true, false, or null');
  }
}
