/** Type of the values that an operator compares. */
export type ValueFamily = 'text' | 'text-ignore-case' | 'like' | 'number' | 'date' | 'bool' | 'binary' | 'address' | 'arn' | 'null';

/** Condition operator. */
export interface Operator {
  readonly name: string;
  readonly family: ValueFamily;
  /** Relation that the request's value must have to the policy's value. */
  readonly relation: '=' | '<' | '<=' | '>' | '>=';
  /** Whether it is a `...Not...` operator, which holds if no policy value matches or the key is absent. */
  readonly negated: boolean;
}

/**
 * All condition operators. The names have no set prefix and no `IfExists`, because these have the same meaning for
 * every operator.
 *
 * Source: IAM User Guide, "IAM JSON policy elements: Condition operators".
 */
// biome-ignore format: a table
export const OPERATORS: readonly Operator[] = [
  { name: 'StringEquals',              family: 'text',             relation: '=',  negated: false },
  { name: 'StringNotEquals',           family: 'text',             relation: '=',  negated: true  },
  { name: 'StringEqualsIgnoreCase',    family: 'text-ignore-case', relation: '=',  negated: false },
  { name: 'StringNotEqualsIgnoreCase', family: 'text-ignore-case', relation: '=',  negated: true  },
  { name: 'StringLike',                family: 'like',             relation: '=',  negated: false },
  { name: 'StringNotLike',             family: 'like',             relation: '=',  negated: true  },
  { name: 'NumericEquals',             family: 'number',           relation: '=',  negated: false },
  { name: 'NumericNotEquals',          family: 'number',           relation: '=',  negated: true  },
  { name: 'NumericLessThan',           family: 'number',           relation: '<',  negated: false },
  { name: 'NumericLessThanEquals',     family: 'number',           relation: '<=', negated: false },
  { name: 'NumericGreaterThan',        family: 'number',           relation: '>',  negated: false },
  { name: 'NumericGreaterThanEquals',  family: 'number',           relation: '>=', negated: false },
  { name: 'DateEquals',                family: 'date',             relation: '=',  negated: false },
  { name: 'DateNotEquals',             family: 'date',             relation: '=',  negated: true  },
  { name: 'DateLessThan',              family: 'date',             relation: '<',  negated: false },
  { name: 'DateLessThanEquals',        family: 'date',             relation: '<=', negated: false },
  { name: 'DateGreaterThan',           family: 'date',             relation: '>',  negated: false },
  { name: 'DateGreaterThanEquals',     family: 'date',             relation: '>=', negated: false },
  { name: 'Bool',                      family: 'bool',             relation: '=',  negated: false },
  { name: 'BinaryEquals',              family: 'binary',           relation: '=',  negated: false },
  { name: 'IpAddress',                 family: 'address',          relation: '=',  negated: false },
  { name: 'NotIpAddress',              family: 'address',          relation: '=',  negated: true  },
  { name: 'ArnEquals',                 family: 'arn',              relation: '=',  negated: false },
  { name: 'ArnLike',                   family: 'arn',              relation: '=',  negated: false },
  { name: 'ArnNotEquals',              family: 'arn',              relation: '=',  negated: true  },
  { name: 'ArnNotLike',                family: 'arn',              relation: '=',  negated: true  },
  { name: 'Null',                      family: 'null',             relation: '=',  negated: false },
];

const BY_NAME: ReadonlyMap<string, Operator> = new Map(OPERATORS.map((operator) => [operator.name.toLowerCase(), operator]));

/** Set prefix of an operator. `single` means that the operator has no set prefix. */
export type Quantifier = 'single' | 'ForAllValues' | 'ForAnyValue';

/** Parsed name of an operator. */
export interface ReadOperator {
  readonly operator: Operator;
  readonly quantifier: Quantifier;
  readonly ifExists: boolean;
}

/**
 * Parses a name such as `ForAllValues:StringNotLikeIfExists`, ignoring case. Returns `undefined` for an unknown operator.
 *
 * Source: IAM User Guide, "Condition operators" (IfExists follows any operator but Null) and "Set operators for multivalued context keys".
 */
export function readOperator(text: string): ReadOperator | undefined {
  const lower = text.toLowerCase();
  const colon = lower.indexOf(':');
  const prefix = lower.slice(0, Math.max(colon, 0));
  if (colon >= 0 && prefix !== 'forallvalues' && prefix !== 'foranyvalue') return undefined;
  const quantifier = colon < 0 ? 'single' : prefix === 'forallvalues' ? 'ForAllValues' : 'ForAnyValue';
  const name = lower.slice(colon + 1);
  const ifExists = name.endsWith('ifexists');
  const operator = BY_NAME.get(ifExists ? name.slice(0, -'ifexists'.length) : name);
  if (operator === undefined || (ifExists && operator.family === 'null')) return undefined;
  return { operator, quantifier, ifExists };
}
