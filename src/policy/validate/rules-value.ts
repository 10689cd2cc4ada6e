// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policy variables look like templates
import type { ReadOperator } from '../operators.ts';
import { addressText, newAddress, readAddress, toBytes, toMoment, toNumber, toRange, toTruth } from '../values.ts';
import { isServicePrincipal } from './malformed-values.ts';
import { type Open, permissiveText, VARIABLE, WILDCARD } from './permissive-values.ts';
import { EVERY, type Hit, type Rule, SERVICE_FORMAT } from './rule.ts';
import { isRegionPattern } from './rules-resource.ts';
import type { ConditionTestView, Item, PolicyView } from './view.ts';
import { hasWildcard } from './wildcards.ts';

/** Rules about the values of conditions. */
// biome-ignore format: a table
export const VALUE_RULES: readonly Rule[] = [
  { code: 'INVALID_CONDITION_DATA_TYPE',        policyTypes: EVERY, find: mixedTypes },
  { code: 'INVALID_CONDITION_MULTIPLE_BOOLEAN', policyTypes: EVERY, find: tests(({ read, items }) => (read?.operator.family === 'bool' || read?.operator.family === 'null') && items.length > 1) },
  { code: 'TYPE_MISMATCH_BOOLEAN',              policyTypes: EVERY, find: values(['bool', 'null'], (item) => Number.isNaN(toTruth(item.value))) },
  { code: 'TYPE_MISMATCH_NUMBER',               policyTypes: EVERY, find: values(['number'], (item) => Number.isNaN(toNumber(item.value))) },
  { code: 'TYPE_MISMATCH_DATE',                 policyTypes: EVERY, find: values(['date'], (item) => Number.isNaN(toMoment(item.value))) },
  { code: 'TYPE_MISMATCH_STRING',               policyTypes: EVERY, find: values(['binary'], (item) => toBytes(item.value) === undefined) },
  { code: 'TYPE_MISMATCH_IP_RANGE',             policyTypes: EVERY, find: values(['address'], (item) => toRange(item.value) === undefined) },
  { code: 'INVALID_DATE_VALUE',                 policyTypes: EVERY, find: unsureDates },
  { code: 'IMPROVE_IP_RANGE',                   policyTypes: EVERY, find: hostBits },
  { code: 'PRIVATE_IP_ADDRESS',                 policyTypes: EVERY, find: privateAddresses(false, 'all') },
  { code: 'PRIVATE_NOT_IP_ADDRESS',             policyTypes: EVERY, find: privateAddresses(true, 'all') },
  { code: 'PRIVATE_IP_ADDRESS_SUBSET',          policyTypes: EVERY, find: privateAddresses(false, 'some') },
  { code: 'PRIVATE_NOT_IP_ADDRESS_SUBSET',      policyTypes: EVERY, find: privateAddresses(true, 'some') },
  { code: 'WILDCARD_WITHOUT_LIKE_OPERATOR',     policyTypes: EVERY, find: wildcardsTakenLiterally },
  { code: 'WILDCARD_USAGE_TOO_PERMISSIVE',      policyTypes: EVERY, find: tooPermissive(WILDCARD) },
  { code: 'VARIABLE_USAGE_TOO_PERMISSIVE',      policyTypes: EVERY, find: tooPermissive(VARIABLE) },
  { code: 'REDUNDANT_CONDITION_VALUE_NUM',      policyTypes: EVERY, find: redundantNumbers },
  { code: 'EQUIVALENT_TO_NULL_FALSE',                         policyTypes: EVERY, find: onlyWildcard('present') },
  { code: 'EQUIVALENT_TO_NULL_TRUE',                          policyTypes: EVERY, find: onlyWildcard('absent') },
  { code: 'REDUNDANT_KEY_DUE_TO_WILDCARD_IN_CONDITION',       policyTypes: EVERY, find: onlyWildcard('always') },
  { code: 'REDUNDANT_STATEMENT_DUE_TO_WILDCARD_IN_CONDITION', policyTypes: EVERY, find: onlyWildcard('never') },
  { code: 'INVALID_SERVICE_PRINCIPAL_FORMAT',   policyTypes: EVERY, find: serviceNames },
  { code: 'INVALID_REGION',                     policyTypes: EVERY, find: ofKey(['aws:requestedregion'], (value) => !isRegionPattern(value)) },
  { code: 'INVALID_VPC_FORMAT',                 policyTypes: EVERY, find: ofKey(['aws:sourcevpc'], (value) => !/^vpc-([0-9A-Za-z]{8}|[0-9A-Za-z]{17})$/.test(value)) },
  { code: 'INVALID_VPCE_FORMAT',                policyTypes: EVERY, find: ofKey(['aws:sourcevpce'], (value) => !/^vpce-([0-9A-Za-z]{8}|[0-9A-Za-z]{17})$/.test(value)) },
];

function everyTest({ statements }: PolicyView): readonly ConditionTestView[] {
  return statements.flatMap((statement) => statement.tests);
}

function tests(check: (test: ConditionTestView) => boolean): Rule['find'] {
  return (view) =>
    everyTest(view)
      .filter(check)
      .map((at) => ({ at }));
}

/** Creates a rule that checks the values of some operator families. Skips values with policy variables. */
function values(families: readonly string[], check: (item: Item) => boolean): Rule['find'] {
  return function* (view) {
    for (const { read, items, operatorName } of everyTest(view)) {
      if (read === undefined || !families.includes(read.operator.family)) continue;
      for (const item of items) {
        if (!item.value.includes('${') && check(item)) yield { at: item, parts: [operatorName] };
      }
    }
  };
}

/** Creates a rule that checks the literal values of some keys under every operator except `Null`. */
function ofKey(keys: readonly string[], check: (value: string) => boolean): Rule['find'] {
  return function* (view) {
    for (const { key, read, items } of everyTest(view)) {
      if (read === undefined || read.operator.family === 'null' || !keys.includes(key.toLowerCase())) continue;
      for (const item of items) {
        if (!hasWildcard(item.value) && !item.value.includes('${') && check(item.value)) yield { at: item, parts: [item.value] };
      }
    }
  };
}

/**
 * Form of a service principal with a region. The values of kms:ViaService have this form.
 *
 * Source: the explanation of INVALID_SERVICE_PRINCIPAL_FORMAT.
 */
const REGIONAL = { format: '{service}.{region}.amazonaws.com', valid: isRegional };
const GLOBAL = { format: SERVICE_FORMAT, valid: isServicePrincipal };

function isRegional(value: string): boolean {
  const labels = value.split('.');
  return isServicePrincipal(value) && labels.length >= 4 && labels.slice(1).some((label) => label !== '' && isRegionPattern(label));
}

/**
 * Condition keys whose values are service principals.
 *
 * Source: IAM User Guide, "aws:CalledVia", "aws:CalledViaFirst", "aws:CalledViaLast": "you must provide the service principals"; AWS KMS
 * Developer Guide, "kms:ViaService". Assumed: AWS checks only the form, because there is no complete list of service
 * principals.
 */
const SERVICE_NAMES: ReadonlyMap<string, typeof GLOBAL> = new Map([
  ['aws:calledvia', GLOBAL],
  ['aws:calledviafirst', GLOBAL],
  ['aws:calledvialast', GLOBAL],
  ['kms:viaservice', REGIONAL],
]);

function* serviceNames(view: PolicyView): Iterable<Hit> {
  for (const { key, read, items } of everyTest(view)) {
    const expected = SERVICE_NAMES.get(key.toLowerCase());
    if (expected === undefined || read === undefined || read.operator.family === 'null') continue;
    for (const item of items) {
      if (!hasWildcard(item.value) && !item.value.includes('${') && !expected.valid(item.value))
        yield { at: item, parts: [expected.format] };
    }
  }
}

function* mixedTypes(view: PolicyView): Iterable<Hit> {
  for (const test of everyTest(view)) {
    if (new Set(test.items.map(({ node }) => node.kind)).size > 1) yield { at: test };
  }
}

/** Reports dates that consist only of digits. Four digits are a year, but other numbers are seconds since 1970. */
function* unsureDates(view: PolicyView): Iterable<Hit> {
  for (const { read, items } of everyTest(view)) {
    if (read?.operator.family !== 'date') continue;
    for (const item of items) {
      if (/^[0-9]+$/.test(item.value) && !Number.isNaN(toMoment(item.value))) yield { at: item, parts: [item.value] };
    }
  }
}

function addressTests(view: PolicyView): readonly ConditionTestView[] {
  return everyTest(view).filter(({ read }) => read?.operator.family === 'address');
}

function* hostBits(view: PolicyView): Iterable<Hit> {
  for (const item of addressTests(view).flatMap(({ items }) => items)) {
    const range = toRange(item.value);
    const slash = item.value.indexOf('/');
    if (range === undefined || slash < 0) continue;
    const address = newAddress();
    readAddress(item.value.slice(0, slash), address);
    if (range.words.every((word, i) => word === address[i + 1])) continue;
    yield { at: item, parts: [`${addressText(range.words)}/${range.bits}`] };
  }
}

/** Address ranges that are not routed on the public internet. Source: RFC 1918, RFC 6598, RFC 3927, RFC 4193, RFC 4291. */
const PRIVATE = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '169.254.0.0/16',
  '127.0.0.0/8',
  'fc00::/7',
  'fe80::/10',
  '::1/128',
];
const PRIVATE_RANGES = PRIVATE.map((text) => toRange(text)).filter((range) => range !== undefined);

function isPrivate(text: string): boolean {
  const range = toRange(text);
  if (range === undefined) return false;
  return PRIVATE_RANGES.some(
    (wider) => wider.family === range.family && wider.bits <= range.bits && startsAlike(wider.words, range.words, wider.bits),
  );
}

function startsAlike(left: readonly number[], right: readonly number[], bits: number): boolean {
  for (let i = 0, rest = bits; rest > 0; i++, rest -= 32) {
    const shift = 32 - Math.min(rest, 32);
    if ((left[i] ?? 0) >>> shift !== (right[i] ?? 0) >>> shift) return false;
  }
  return true;
}

function privateAddresses(negated: boolean, share: 'all' | 'some'): Rule['find'] {
  return function* (view) {
    for (const test of addressTests(view)) {
      if (test.key.toLowerCase() !== 'aws:sourceip' || test.read?.operator.negated !== negated || test.items.length === 0) continue;
      const inside = test.items.filter(({ value }) => isPrivate(value)).length;
      if (share === 'all' ? inside === test.items.length : inside > 0 && inside < test.items.length) yield { at: test };
    }
  };
}

function* wildcardsTakenLiterally(view: PolicyView): Iterable<Hit> {
  for (const { read, items } of everyTest(view)) {
    if (read?.operator.family !== 'text' && read?.operator.family !== 'text-ignore-case') continue;
    // ${*} and ${?} are the literal characters `*` and `?`.
    for (const item of items) if (hasWildcard(item.value.replaceAll('${*}', '').replaceAll('${?}', ''))) yield { at: item };
  }
}

/**
 * Creates a rule for patterns that match more than intended: `StringLike` in Allow, and `StringNotLike` in Deny.
 *
 * Recorded: a variable under StringEquals is not reported, March 2026.
 */
function tooPermissive(open: Open): Rule['find'] {
  return function* ({ statements }) {
    for (const { effect, tests: conditionTests } of statements) {
      for (const { key, read, items } of conditionTests) {
        if (read?.operator.family !== 'like' || read.operator.negated !== (effect === 'Deny')) continue;
        for (const item of items) {
          const text = permissiveText(key, item.value, open);
          if (text !== undefined) yield { at: item, parts: [text] };
        }
      }
    }
  };
}

function* redundantNumbers(view: PolicyView): Iterable<Hit> {
  for (const test of everyTest(view)) {
    const relation = test.read?.operator.relation;
    if (test.read?.operator.family !== 'number' || relation === '=' || test.items.length < 2) continue;
    yield { at: test, parts: [test.operatorName, relation === '<' || relation === '<=' ? 'greatest' : 'least', test.key] };
  }
}

/**
 * Returns which requests pass a `…Like` test whose value is only `*`: requests with the key, requests without the key,
 * all requests or none.
 *
 * `*` matches every value. So all requests with the key pass a test that is not negated, and fail a negated test.
 * A request without the key passes a test that is not negated only if the test has `IfExists` or `ForAllValues`.
 * A request without the key passes a negated test, unless the test has `ForAnyValue` and no `IfExists`.
 */
function holdsWithWildcard({ operator, quantifier, ifExists }: ReadOperator): 'present' | 'absent' | 'always' | 'never' {
  // An absent key never satisfies ForAnyValue, not even with IfExists (`match-condition.ts`).
  if (quantifier === 'ForAnyValue') return operator.negated ? 'never' : 'present';
  if (operator.negated) return 'absent';
  return ifExists || quantifier === 'ForAllValues' ? 'always' : 'present';
}

/**
 * Creates a rule for `…Like` tests with a value that is only `*`. Recorded: the place of the finding is the value,
 * March 2026.
 */
function onlyWildcard(holds: 'present' | 'absent' | 'always' | 'never'): Rule['find'] {
  return function* (view) {
    for (const { read, items, key, operatorName } of everyTest(view)) {
      if (read?.operator.family !== 'like' || holdsWithWildcard(read) !== holds) continue;
      const at = items.find(({ value }) => /^\*+$/.test(value));
      if (at !== undefined) yield { at, parts: [key, operatorName, key] };
    }
  };
}
