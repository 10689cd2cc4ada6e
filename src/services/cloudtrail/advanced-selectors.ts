import type { AdvancedEventSelector, AdvancedFieldSelector } from '#model/generated/cloudtrail.ts';
import { EXCLUDABLE_SOURCES, invalidSelectors } from './basic-selectors.ts';

/** Maximum number of values of all conditions. Source: CloudTrail User Guide, "Quotas": conditions of advanced selectors. */
const VALUES_MAX = 500;

const OPERATORS = ['Equals', 'StartsWith', 'EndsWith', 'NotEquals', 'NotStartsWith', 'NotEndsWith'] as const;
type Operator = (typeof OPERATORS)[number];

/** Rule of one field: its operators, its values, and whether it may have several values. */
interface FieldRule {
  readonly operators: readonly Operator[];
  readonly values?: (value: string) => boolean;
  readonly single?: true;
  readonly required?: true;
}

const ANY: FieldRule = { operators: OPERATORS };
const BOOLEAN = (value: string): boolean => value === 'true' || value === 'false';
const READ_ONLY: FieldRule = { operators: ['Equals'], values: BOOLEAN, single: true };
const CATEGORY: FieldRule = { operators: ['Equals'], single: true, required: true };

/**
 * Fields of a selector by event category.
 *
 * Source: CloudTrail API reference, AdvancedFieldSelector. Assumed: a trail accepts the same fields for network activity
 * events as an event data store. Belfry has no such events.
 */
// biome-ignore format: a table
const FIELDS: Readonly<Record<string, ReadonlyMap<string, FieldRule>>> = {
  Management: new Map([
    ['eventCategory', CATEGORY],
    ['readOnly',      READ_ONLY],
    ['eventSource',   { operators: ['NotEquals'], values: (value) => EXCLUDABLE_SOURCES.includes(value) }],
  ]),
  Data: new Map([
    ['eventCategory',                CATEGORY],
    ['resources.type',               { operators: ['Equals'], values: (value) => /^AWS::[A-Za-z0-9]+::[A-Za-z0-9]+$/.test(value), single: true, required: true }],
    ['readOnly',                     READ_ONLY],
    ['eventName',                    ANY],
    ['eventSource',                  ANY],
    ['eventType',                    ANY],
    ['resources.ARN',                ANY],
    ['userIdentity.arn',             ANY],
    ['sessionCredentialFromConsole', { operators: ['Equals', 'NotEquals'], values: BOOLEAN }],
  ]),
  NetworkActivity: new Map([
    ['eventCategory', CATEGORY],
    ['eventSource',   { operators: ['Equals'], required: true }],
    ['eventName',     ANY],
    ['vpcEndpointId', ANY],
    ['errorCode',     { operators: ['Equals'], values: (value) => value === 'VpceAccessDenied' }],
  ]),
};

/** Reports whether a selector selects events of a category. The selector must be valid. */
export function hasCategory({ FieldSelectors }: AdvancedEventSelector, category: 'Management' | 'Data' | 'NetworkActivity'): boolean {
  return FieldSelectors.some(({ Field, Equals = [] }) => Field === 'eventCategory' && Equals.includes(category));
}

/**
 * Checks advanced selectors. The model limits the lengths of names, fields and values.
 *
 * @throws InvalidEventSelectorsException  there are no selectors or more than 500 values; a selector has a field twice, no
 *   category, a field that its category does not have, or lacks a required one; a condition has no operator, an operator
 *   that the field does not have, too many values, or an invalid value
 * Source: CloudTrail API reference, AdvancedEventSelector and AdvancedFieldSelector. Assumed: the messages; a value with
 * `*` is invalid, because operators compare it literally, so the trail would miss the events that the caller meant.
 */
export function advancedSelectors(selectors: readonly AdvancedEventSelector[]): readonly AdvancedEventSelector[] {
  if (selectors.length === 0) throw invalidSelectors('Specify at least one advanced event selector.');
  const conditions = selectors.flatMap(({ FieldSelectors }) => FieldSelectors);
  const values = conditions.reduce((sum, condition) => sum + valuesOf(condition).length, 0);
  if (values > VALUES_MAX) throw invalidSelectors(`Specify up to ${VALUES_MAX} values for all conditions of the advanced event selectors.`);
  for (const selector of selectors) requireSelector(selector);
  return selectors;
}

function valuesOf(condition: AdvancedFieldSelector): readonly string[] {
  return OPERATORS.flatMap((operator) => condition[operator] ?? []);
}

function requireSelector({ FieldSelectors }: AdvancedEventSelector): void {
  const byField = new Map(FieldSelectors.map((condition) => [condition.Field, condition]));
  if (byField.size < FieldSelectors.length) throw invalidSelectors('A field must not appear more than once in a selector.');
  const [category = ''] = byField.get('eventCategory')?.Equals ?? [];
  const fields = Object.hasOwn(FIELDS, category) ? FIELDS[category] : undefined;
  if (fields === undefined) {
    throw invalidSelectors(`The field eventCategory must equal one of: ${Object.keys(FIELDS).join(', ')}.`);
  }
  for (const [field, { required }] of fields) {
    if (required && !byField.has(field))
      throw invalidSelectors(`A selector with the event category ${category} must have the field ${field}.`);
  }
  for (const condition of FieldSelectors) {
    const rule = fields.get(condition.Field);
    if (rule === undefined) throw invalidSelectors(`Field ${condition.Field} is invalid for the event category ${category}.`);
    requireCondition(condition, rule);
  }
}

function requireCondition(condition: AdvancedFieldSelector, { operators, values = () => true, single }: FieldRule): void {
  const { Field } = condition;
  const used = OPERATORS.filter((operator) => condition[operator] !== undefined);
  const all = valuesOf(condition);
  if (all.length === 0) throw invalidSelectors(`The field ${Field} must have an operator with a value.`);
  const other = used.find((operator) => !operators.includes(operator));
  if (other !== undefined) throw invalidSelectors(`Operator ${other} is invalid for the field ${Field}.`);
  if (single && all.length > 1) throw invalidSelectors(`The field ${Field} must have exactly one value.`);
  const invalid = all.find((value) => value.includes('*') || !values(value));
  if (invalid !== undefined) throw invalidSelectors(`Value ${invalid} is invalid for the field ${Field}.`);
}
