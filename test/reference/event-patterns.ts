/**
 * Second, obvious implementation of event patterns: no index, no compilation, nested loops. It tries each combination of
 * values. It reads the pattern with `JSON.parse`, so it supports neither keys that occur twice nor numbers that no
 * double holds.
 */

type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };
type JsonObject = { readonly [name: string]: Json };

/** Value of an event: its path, and the place in each array around it. */
interface Leaf {
  readonly path: string;
  readonly value: Json;
  readonly places: ReadonlyMap<string, number>;
}

/** Reports whether an event pattern matches an event. */
export function referenceMatches(pattern: string, event: string): boolean {
  const leaves = leavesOf(JSON.parse(event) as JsonObject);
  return combinations(JSON.parse(pattern) as JsonObject, '').some((fields) => fieldsMatch(fields, leaves));
}

/** Returns the fields of each combination of the alternatives of `$or`. Later fields replace earlier ones. */
function combinations(pattern: JsonObject, prefix: string): ReadonlyMap<string, readonly Json[]>[] {
  let all: ReadonlyMap<string, readonly Json[]>[] = [new Map()];
  for (const [name, value] of Object.entries(pattern)) {
    const path = prefix + name;
    const added =
      name === '$or'
        ? (value as readonly JsonObject[]).flatMap((alternative) => combinations(alternative, prefix))
        : Array.isArray(value)
          ? [new Map([[path, value as readonly Json[]]])]
          : combinations(value as JsonObject, `${path}.`);
    // A field of an alternative replaces the same field before it.
    all =
      name === '$or'
        ? added.flatMap((one) => all.map((before) => new Map([...before, ...one])))
        : all.flatMap((before) => added.map((one) => new Map([...before, ...one])));
  }
  return all;
}

function leavesOf(event: JsonObject): readonly Leaf[] {
  const leaves: Leaf[] = [];
  const visit = (value: Json, path: string, pointer: string, places: ReadonlyMap<string, number>): void => {
    if (Array.isArray(value)) {
      value.forEach((element: Json, index) => {
        const inside = typeof element === 'object' && element !== null;
        visit(element, path, `${pointer}/${index}`, inside ? new Map([...places, [pointer, index]]) : places);
      });
    } else if (typeof value === 'object' && value !== null) {
      for (const [name, member] of Object.entries(value))
        visit(member, path === '' ? name : `${path}.${name}`, `${pointer}/${name}`, places);
    } else leaves.push({ path, value, places });
  };
  visit(event, '', '', new Map());
  return leaves;
}

function fieldsMatch(fields: ReadonlyMap<string, readonly Json[]>, leaves: readonly Leaf[]): boolean {
  const sorted = [...fields].sort(([a], [b]) => (a < b ? -1 : 1));
  const from = (at: number, places: ReadonlyMap<string, number>): boolean => {
    const next = sorted[at];
    if (next === undefined) return true;
    const [path, alternatives] = next;
    const possible = leaves.filter((leaf) => leaf.path === path && consistent(leaf.places, places));
    return alternatives.some((alternative) =>
      isAbsence(alternative)
        ? possible.length === 0 && from(at + 1, places)
        : possible.some((leaf) => alternativeMatches(alternative, leaf.value) && from(at + 1, new Map([...places, ...leaf.places]))),
    );
  };
  return from(0, new Map());
}

function consistent(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): boolean {
  return [...a].every(([array, index]) => !b.has(array) || b.get(array) === index);
}

function isAbsence(alternative: Json): boolean {
  return JSON.stringify(alternative) === '{"exists":false}';
}

function alternativeMatches(alternative: Json, value: Json): boolean {
  if (typeof alternative !== 'object' || alternative === null) return alternative === value;
  const [operator, operand] = Object.entries(alternative)[0] as [string, Json];
  switch (operator) {
    case 'exists':
      return true;
    case 'anything-but': {
      if (typeof operand !== 'object' || operand === null) return value !== operand;
      if (Array.isArray(operand)) return !operand.includes(value);
      const [nested, operands] = Object.entries(operand)[0] as [string, Json];
      return ![operands].flat().some((each) => alternativeMatches({ [nested]: each as Json }, value));
    }
    case 'numeric':
      return typeof value === 'number' && numericHolds(operand as readonly (string | number)[], value);
    default:
      return typeof value === 'string' && stringHolds(operator, operand, value);
  }
}

function numericHolds(operand: readonly (string | number)[], value: number): boolean {
  if (operand.length === 0) return true;
  const [operator, bound, ...rest] = operand as [string, number, ...(string | number)[]];
  const holds = { '=': value === bound, '<': value < bound, '<=': value <= bound, '>': value > bound, '>=': value >= bound }[operator];
  return holds === true && numericHolds(rest, value);
}

function stringHolds(operator: string, operand: Json, value: string): boolean {
  if (typeof operand !== 'string') {
    const { 'equals-ignore-case': text } = operand as { readonly 'equals-ignore-case': string };
    return stringHolds(operator, text.toLowerCase(), value.toLowerCase());
  }
  switch (operator) {
    case 'prefix':
      return value.startsWith(operand);
    case 'suffix':
      return value.endsWith(operand);
    case 'equals-ignore-case':
      return value.toLowerCase() === operand.toLowerCase();
    case 'wildcard':
      return wildcardHolds(operand, value);
    default:
      throw new Error(`unknown operator '${operator}'`);
  }
}

function wildcardHolds(pattern: string, value: string): boolean {
  if (pattern === '') return value === '';
  if (pattern.startsWith('*'))
    return Array.from({ length: value.length + 1 }, (_, i) => value.slice(i)).some((rest) => wildcardHolds(pattern.slice(1), rest));
  return value.startsWith(pattern.charAt(0)) && wildcardHolds(pattern.slice(1), value.slice(1));
}
