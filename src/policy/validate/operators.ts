/** The values an operator compares. */
export type OperatorFamily = 'String' | 'Numeric' | 'Date' | 'Bool' | 'Binary' | 'IpAddress' | 'Arn' | 'Null';

/** One condition operator as written, taken apart. */
export interface OperatorName {
  /** As IAM spells it, without set prefix and `IfExists`. */
  readonly base: string;
  readonly family: OperatorFamily;
  readonly negated: boolean;
  readonly quantifier: 'ForAllValues' | 'ForAnyValue' | 'single';
  readonly ifExists: boolean;
}

/**
 * Every condition operator, without its set prefix and its `IfExists`.
 *
 * Source: IAM User Guide, "IAM JSON policy elements: Condition operators".
 */
// biome-ignore format: a table
const OPERATORS: readonly (readonly [base: string, family: OperatorFamily, negated: boolean])[] = [
  ['StringEquals',              'String',    false],
  ['StringNotEquals',           'String',    true ],
  ['StringEqualsIgnoreCase',    'String',    false],
  ['StringNotEqualsIgnoreCase', 'String',    true ],
  ['StringLike',                'String',    false],
  ['StringNotLike',             'String',    true ],
  ['NumericEquals',             'Numeric',   false],
  ['NumericNotEquals',          'Numeric',   true ],
  ['NumericLessThan',           'Numeric',   false],
  ['NumericLessThanEquals',     'Numeric',   false],
  ['NumericGreaterThan',        'Numeric',   false],
  ['NumericGreaterThanEquals',  'Numeric',   false],
  ['DateEquals',                'Date',      false],
  ['DateNotEquals',             'Date',      true ],
  ['DateLessThan',              'Date',      false],
  ['DateLessThanEquals',        'Date',      false],
  ['DateGreaterThan',           'Date',      false],
  ['DateGreaterThanEquals',     'Date',      false],
  ['Bool',                      'Bool',      false],
  ['BinaryEquals',              'Binary',    false],
  ['IpAddress',                 'IpAddress', false],
  ['NotIpAddress',              'IpAddress', true ],
  ['ArnEquals',                 'Arn',       false],
  ['ArnLike',                   'Arn',       false],
  ['ArnNotEquals',              'Arn',       true ],
  ['ArnNotLike',                'Arn',       true ],
  ['Null',                      'Null',      false],
];

const BY_LOWER_NAME = new Map(OPERATORS.map(([base, family, negated]) => [base.toLowerCase(), { base, family, negated }]));

/** Names as IAM spells them, for suggestions. */
export const OPERATOR_NAMES: readonly string[] = OPERATORS.map(([base]) => base);

/** Takes an operator's name apart, whatever its case; undefined where there is no such operator. `NullIfExists` is read, and is an error of its own. */
export function parseOperatorName(text: string): OperatorName | undefined {
  const lower = text.toLowerCase();
  const quantifier = lower.startsWith('forallvalues:') ? 'ForAllValues' : lower.startsWith('foranyvalue:') ? 'ForAnyValue' : 'single';
  const plain = quantifier === 'single' ? lower : lower.slice(quantifier.length + 1);
  const ifExists = plain.endsWith('ifexists');
  const found = BY_LOWER_NAME.get(ifExists ? plain.slice(0, -'ifexists'.length) : plain);
  return found === undefined ? undefined : { ...found, quantifier, ifExists };
}
