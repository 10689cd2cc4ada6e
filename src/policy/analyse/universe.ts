import type { ConditionContext } from '#core/condition-context.ts';
import { statementHasAction } from '../compile.ts';
import type { CompiledPolicy } from '../compiled-policy.ts';
import { type Glob, MANY, newGlob, ONE } from '../glob.ts';
import { matchesText } from '../glob-match.ts';
import type { ActionPattern, ArnPattern, ConditionTest, LoweredStatement } from '../lowered.ts';
import { conditionTest } from '../match-condition.ts';
import type { Piece } from '../pattern.ts';
import { beginDecision, newRequestRecord, setContext } from '../request.ts';
import { type StepBudget, takeSteps } from '../steps.ts';
import type { TrustCaller } from '../trust.ts';
import type { AuthorizationReference } from '../validate/reference.ts';
import { examplesOf, type Fresh, freshFor, resourcesOf, type VariableValues, valuesOf } from './atoms.ts';

/**
 * Data from which the search builds the requests to try. A request combines an action, a resource, a caller and values
 * of context keys. Each of these is chosen independently of the others.
 */
export interface Universe {
  readonly fresh: Fresh;
  readonly statements: readonly LoweredStatement[];
  /** Number of characters in all policies. */
  readonly textLength: number;
  readonly reference: AuthorizationReference;
  readonly variables: VariableValues;
  /** Step budget of the analysis. */
  readonly steps: StepBudget;
  /**
   * Context keys that may have several values: a condition tests them with a set operator, or the reference says so.
   */
  readonly multivalued: ReadonlySet<string>;
  /**
   * Returns the signature of an action: one digit for each statement. The digit is `1` if the statement applies to the
   * action, otherwise `0`. Actions with the same signature form a class. Results are cached.
   */
  readonly signatureOf: (action: string) => string;
}

export type ContextChoice = string | readonly string[] | undefined;

/** Returns the data for a search with the statements of some policies. */
export function universeOf(policies: readonly CompiledPolicy[], reference: AuthorizationReference, steps: StepBudget): Universe {
  const statements = policies.flatMap(({ lowered }) => lowered.statements);
  const fresh = freshFor(policies.map(({ text }) => text));
  const multivalued = new Set<string>();
  const literals = new Map<string, string[]>();
  for (const { key, quantifier, values } of statements.flatMap(({ conditions }) => conditions)) {
    if (quantifier !== 'single' || reference.conditionKey(key)?.multivalued === true) multivalued.add(key);
    for (const pieces of values) {
      if (pieces.every(({ kind }) => kind === 'text'))
        pushTo(literals, key, pieces.map((piece) => (piece as { text: string }).text).join(''));
    }
  }
  const variables: VariableValues = (key) => [fresh.word, ...(literals.get(key) ?? []).slice(0, 2)];
  const signatures = new Map<string, string>();
  const signatureOf = (action: string): string => {
    let signature = signatures.get(action);
    if (signature === undefined) {
      takeSteps(steps, stepsOfActions(statements, action));
      signature = statements.map((statement) => (statementHasAction(statement, action) ? '1' : '0')).join('');
      signatures.set(action, signature);
    }
    return signature;
  };
  const textLength = policies.reduce((sum, { text }) => sum + text.length, 0);
  takeSteps(steps, textLength * 4);
  return { fresh, statements, textLength, reference, variables, steps, multivalued, signatureOf };
}

function pushTo(lists: Map<string, string[]>, key: string, text: string): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [text]);
  else list.push(text);
}

/** Returns the cost of comparing an action with every pattern of some statements, in steps. */
function stepsOfActions(statements: readonly LoweredStatement[], action: string): number {
  let words = 0;
  for (const { actions } of statements) {
    for (const { service, name } of actions.patterns) words += 2 + ((service.codes.length + name.codes.length) >> 5);
  }
  return statements.length + words * action.length;
}

/**
 * Maximum number of actions to try for one statement. Each action represents a class of actions: all actions to which
 * the same statements apply.
 */
const ACTIONS_MAX = 64;

/**
 * Returns actions to which `statement` applies: one action for each class (actions to which the same statements apply).
 * For services in the reference, every action is a candidate. For other services, the candidates are example actions of
 * the patterns.
 */
export function actionsToTry(
  statement: LoweredStatement,
  { statements, reference, fresh, signatureOf, steps }: Universe,
): readonly string[] {
  const classes = new Map<string, string>();
  const consider = (action: string): void => {
    const lower = action.toLowerCase();
    takeSteps(steps, stepsOfActions([statement], lower));
    if (classes.size >= ACTIONS_MAX || !lower.includes(':') || !statementHasAction(statement, lower)) return;
    const signature = signatureOf(lower);
    if (!classes.has(signature)) classes.set(signature, action);
  };
  for (const prefix of KNOWN_SERVICES) for (const { name } of reference.actionsOf(prefix) ?? []) consider(`${prefix}:${name}`);
  for (const { actions } of statements) {
    for (const pattern of actions.patterns) for (const action of exampleActions(pattern, fresh)) consider(action);
  }
  consider(`${fresh.word}:${fresh.word}`);
  return [...classes.values()];
}

/** Services whose actions are all in the reference. */
const KNOWN_SERVICES = ['chime', 'iam', 'sts', 'cloudtrail', 'events', 'cloudwatch', 'access-analyzer', 'organizations'] as const;

function exampleActions({ everything, service, name }: ActionPattern, fresh: Fresh): readonly string[] {
  if (everything) return [];
  return [fresh.word, '', fresh.character].map((fill) => `${fillCodes(service, fill, fresh)}:${fillCodes(name, fill, fresh)}`);
}

function fillCodes({ codes }: Glob, star: string, fresh: Fresh): string {
  let text = '';
  for (const code of codes) text += code === MANY ? star : code === ONE ? fresh.character : String.fromCharCode(code);
  return text;
}

/** Maximum number of resources to try for one action. */
const RESOURCES_MAX = 120;

/**
 * Returns resources that distinguish the ARN patterns of all statements: examples of each pattern, of each pair of
 * patterns, and of the action's resource types. Resources in the ARN format of a resource type come first, so that the
 * search prefers valid requests.
 */
export function resourcesToTry(action: string, universe: Universe): readonly string[] {
  const { statements, fresh, variables, reference, steps } = universe;
  takeSteps(steps, stepsOfActions(statements, action));
  const [prefix = '', name = ''] = action.split(':');
  const known = reference.actionOf(prefix, name);
  const found = new Set<string>(known !== undefined && known.resourceTypes.length === 0 ? ['*'] : []);
  const patterns = statements
    .filter((statement) => statementHasAction(statement, action.toLowerCase()))
    .flatMap(({ resources }) => resources?.patterns ?? []);
  const ofPatterns = patterns.flatMap((pattern) => resourcesOf(pattern, fresh, variables));
  const formats = known?.resourceTypes.map(({ arnFormat }) => arnFormat) ?? [];
  const globs = formats.map(formatGlob);
  const fits = (resource: string): boolean => globs.some((glob) => matchesText(glob, resource, 0, resource.length, steps));
  const [fitting, others]: [string[], string[]] = [[], []];
  for (const resource of [...ofPatterns, ...pairs(patterns, universe)]) (fits(resource) ? fitting : others).push(resource);
  for (const resource of [...fitting, ...others]) found.add(resource);
  for (const format of formats) found.add(fillFormat(format, fresh));
  found.add('*');
  return [...found].slice(0, RESOURCES_MAX);
}

/** Returns resources that match two of the patterns. Finds a value for each segment of the ARN separately. */
function pairs(patterns: readonly ArnPattern[], { fresh, variables, steps }: Universe): readonly string[] {
  const found: string[] = [];
  const some = patterns.filter((pattern) => pattern.kind === 'segments').slice(0, 24);
  for (const [i, left] of some.entries()) {
    for (const right of some.slice(i + 1)) {
      const fields = [0, 1, 2, 3, 4, 5].map((field) => meeting(left.segments[field], right.segments[field], fresh, variables, steps));
      if (fields.every((field) => field !== undefined)) found.push(fields.join(':'));
    }
  }
  return found;
}

const MANY_PIECES: readonly Piece[] = [{ kind: 'many' }];

function meeting(
  left: readonly Piece[] = MANY_PIECES,
  right: readonly Piece[] = MANY_PIECES,
  fresh: Fresh,
  variables: VariableValues,
  steps: StepBudget,
): string | undefined {
  const ofLeft = examplesOf(left, fresh, variables);
  const ofRight = examplesOf(right, fresh, variables);
  const both = [...ofLeft, ...ofRight, ...ofLeft.flatMap((a) => ofRight.flatMap((b) => [a + b, b + a]))];
  const [first, second] = [left, right].map(withoutVariables);
  const matches = (glob: Glob | undefined, text: string): boolean => glob !== undefined && matchesText(glob, text, 0, text.length, steps);
  takeSteps(
    steps,
    both.reduce((sum, text) => sum + 1 + (text.length >> 2), 16),
  );
  return both.find((text) => matches(first, text) && matches(second, text));
}

/**
 * Compiles a pattern with `*` in place of each variable. The result can match strings that the pattern does not match.
 * This is safe, because the engine later decides every example request.
 */
function withoutVariables(pieces: readonly Piece[]): Glob {
  return newGlob(pieces.map((piece) => (piece.kind === 'variable' ? { kind: 'many' } : piece)));
}

function formatGlob(format: string): Glob {
  const pieces: Piece[] = [];
  for (const [i, part] of format.split('${').entries()) {
    if (i > 0) pieces.push({ kind: 'many' });
    pieces.push({ kind: 'text', text: i === 0 ? part : part.slice(part.indexOf('}') + 1) });
  }
  return newGlob(pieces);
}

const FORMAT_FIELDS: Readonly<Record<string, string>> = {
  Partition: 'aws',
  Region: 'us-east-1',
  Account: '111122223333',
  AccountId: '111122223333',
};

function fillFormat(format: string, fresh: Fresh): string {
  return format
    .split('${')
    .map((part, i) => {
      if (i === 0) return part;
      const end = part.indexOf('}');
      return (FORMAT_FIELDS[part.slice(0, end)] ?? fresh.word) + part.slice(end + 1);
    })
    .join('');
}

/** Context key with the values that the search tries for it. */
export interface Dimension {
  readonly key: string;
  readonly choices: readonly ContextChoice[];
}

/** Maximum number of values to try for one key. */
const CHOICES_MAX = 24;

/**
 * Returns the context keys that the statements for an action read. Each key has values that distinguish the condition
 * tests of this key. Omits values for which a condition of the statement `narrowed` does not hold.
 */
export function dimensionsFor(action: string, narrowed: LoweredStatement, universe: Universe): readonly Dimension[] {
  takeSteps(universe.steps, stepsOfActions(universe.statements, action));
  const asked = universe.statements.filter((statement) => statementHasAction(statement, action.toLowerCase()));
  const tests = Map.groupBy(
    asked.flatMap(({ conditions }) => conditions),
    ({ key }) => key,
  );
  for (const key of asked.flatMap(variableKeys)) if (!tests.has(key)) tests.set(key, []);
  return [...tests].map(([key, ofKey]) => {
    const own = narrowed.conditions.filter(
      (test) => test.key === key && test.values.every((pieces) => pieces.every(({ kind }) => kind !== 'variable')),
    );
    return { key, choices: choicesOf(key, ofKey, universe).filter((choice) => own.every((test) => holds(test, choice, universe.steps))) };
  });
}

function variableKeys({ conditions, resources }: LoweredStatement): readonly string[] {
  const pieces = [
    ...conditions.flatMap(({ values }) => values.flat()),
    ...(resources?.patterns ?? []).flatMap((pattern) => (pattern.kind === 'segments' ? pattern.segments.flat() : [])),
  ];
  return pieces.flatMap((piece) => (piece.kind === 'variable' ? [piece.key] : []));
}

function choicesOf(key: string, tests: readonly ConditionTest[], { fresh, variables, multivalued }: Universe): readonly ContextChoice[] {
  const values = [
    ...new Set([...tests.flatMap((test) => valuesOf(test, fresh, variables)), ...(tests.length === 0 ? variables(key) : [])]),
  ].slice(0, CHOICES_MAX);
  if (!multivalued.has(key)) return [...values, undefined];
  const [first, second] = values;
  const sets: ContextChoice[] = [...values.map((value) => [value]), undefined];
  if (first !== undefined && second !== undefined)
    sets.push(
      [first, second],
      values,
      [first, fresh.word],
      values.filter((value) => value !== fresh.word),
    );
  return sets;
}

function holds(test: ConditionTest, choice: ContextChoice, steps: StepBudget): boolean {
  const record = newRequestRecord();
  setContext(record, contextOf([[test.key, choice]]));
  takeSteps(steps, 200);
  beginDecision(record, steps);
  return conditionTest(test)(record);
}

export function contextOf(entries: readonly (readonly [string, ContextChoice])[]): ConditionContext {
  const context = new Map<string, string | readonly string[]>();
  for (const [key, choice] of entries) if (choice !== undefined) context.set(key, choice);
  return context;
}

/**
 * Returns callers that distinguish the principals of all statements. Also returns a user, a service and an identity
 * provider that no statement names.
 */
export function callersToTry({ statements, fresh }: Universe): readonly TrustCaller[] {
  const callers = new Map<string, TrustCaller>();
  const add = (caller: TrustCaller): void => {
    callers.set(JSON.stringify(caller), caller);
  };
  const user = (account: string, name: string): TrustCaller =>
    ({ accountId: account, arn: `arn:aws:iam::${account}:user/${name}` }) as TrustCaller;
  for (const { principals } of statements) {
    for (const { type, value } of principals?.entries ?? []) {
      if (type === 'Service') add({ service: value });
      else if (type === 'Federated') add({ federated: value });
      else if (type === 'AWS') for (const caller of awsCallers(value, fresh)) add(caller);
    }
  }
  add(user('999999999999', fresh.word));
  add({ service: `${fresh.word}.amazonaws.com` });
  add({ federated: `${fresh.word}.example.com` });
  return [...callers.values()].slice(0, 60);
}

function awsCallers(value: string, fresh: Fresh): readonly TrustCaller[] {
  const account = /^[0-9]{12}$/.test(value) ? value : value.split(':')[4];
  const someone =
    account === undefined || account === '' ? [] : [{ accountId: account, arn: `arn:aws:iam::${account}:user/${fresh.word}` }];
  const named =
    value === '*' || /^[0-9]{12}$/.test(value)
      ? []
      : value.startsWith('arn:')
        ? [{ accountId: account, arn: value, ...(value.includes(':role/') ? { roleArn: value } : {}) }]
        : [{ accountId: '999999999999', uniqueId: value }];
  return [...named, ...someone] as TrustCaller[];
}
