import type { ValueFamily } from '../operators.ts';
import { isService } from './known-services.ts';
import type { ConditionKeyReference } from './reference.ts';
import { EVERY, type Hit, type Rule, WITH_PRINCIPAL } from './rule.ts';
import type { ConditionTestView, OperatorView, PolicyView } from './view.ts';

/** Rules about operators and keys of conditions. */
// biome-ignore format: a table
export const CONDITION_RULES: readonly Rule[] = [
  { code: 'INVALID_CONDITION_OPERATOR',         policyTypes: EVERY, find: unknownOperators },
  { code: 'NULL_WITH_IF_EXISTS',                policyTypes: EVERY, find: operators(({ name }) => isNullIfExists(name)) },
  { code: 'NULL_WITH_QUALIFIER',                policyTypes: EVERY, find: operators(({ read }) => read?.operator.family === 'null' && read.quantifier !== 'single') },
  { code: 'INVALID_CONDITION_KEY_FORMAT',       policyTypes: EVERY, find: tests((test) => (isKeyFormat(test.key) ? undefined : [])) },
  { code: 'UNSUPPORTED_GLOBAL_CONDITION_KEY',   policyTypes: EVERY, find: tests(({ key }) => (key.toLowerCase() === 'aws:arn' ? [] : undefined)) },
  { code: 'INVALID_GLOBAL_CONDITION_KEY',       policyTypes: EVERY, find: tests(unknownGlobalKey) },
  { code: 'INVALID_SERVICE_CONDITION_KEY',      policyTypes: EVERY, find: tests(unknownServiceKey) },
  { code: 'INVALID_SERVICE',                    policyTypes: EVERY, find: tests(unknownService) },
  { code: 'MISSING_TAG_KEY_IN_CONDITION',       policyTypes: EVERY, find: tests(({ key }) => (isTagKeyWithoutTag(key) ? [key, key.endsWith('/') ? key : `${key}/`] : undefined)) },
  { code: 'DUPLICATE_KEYS_WITH_DIFFERENT_CASE', policyTypes: EVERY, find: repeatedKeys },
  { code: 'MISSING_QUALIFIER',                  policyTypes: EVERY, find: tests(({ known, read, key }) => (known?.multivalued === true && read?.quantifier === 'single' && read.operator.family !== 'null' ? [key] : undefined)) },
  { code: 'FORALLVALUES_WITH_SINGLE_VALUED_KEY', policyTypes: EVERY, find: tests(({ known, read, key }) => (known?.multivalued === false && read?.quantifier === 'ForAllValues' && read.operator.family !== 'null' ? [key] : undefined)) },
  { code: 'UNTRUSTWORTHY_CONDITION_KEY',        policyTypes: EVERY, find: testsOfAllow(({ key }) => (CLIENT_CONTROLLED_KEYS.has(key.toLowerCase()) ? [key] : undefined)) },
  { code: 'STRING_LIKE_OPERATOR_WITH_ARN_CONDITION_KEYS', policyTypes: EVERY, find: stringLikeOnArn },
  { code: 'TYPE_MISMATCH',                      policyTypes: EVERY, find: tests(mismatch) },
  { code: 'IRRELEVANT_CONDITION_KEY_IN_POLICY', policyTypes: WITH_PRINCIPAL, find: tests(({ key }, { policyType }) => (RESOURCE_KEYS.has(key.toLowerCase()) ? [key, policyType === 'trust' ? 'role trust' : 'resource'] : undefined)) },
  { code: 'EMPTY_ARRAY_CONDITION',              policyTypes: EVERY, find: tests((test) => emptyAs(test, 'plain')) },
  { code: 'EMPTY_ARRAY_CONDITION_FORALLVALUES', policyTypes: EVERY, find: tests((test) => emptyAs(test, 'ForAllValues')) },
  { code: 'EMPTY_ARRAY_CONDITION_FORANYVALUE',  policyTypes: EVERY, find: tests((test) => emptyAs(test, 'ForAnyValue')) },
  { code: 'EMPTY_ARRAY_CONDITION_IFEXISTS',     policyTypes: EVERY, find: tests((test) => emptyAs(test, 'IfExists')) },
];

/**
 * Condition keys of headers whose value the client chooses.
 *
 * Source: IAM User Guide, `aws:referer` and `aws:UserAgent`: "should not be used to prevent unauthorized parties".
 */
const CLIENT_CONTROLLED_KEYS: ReadonlySet<string> = new Set(['aws:referer', 'aws:useragent']);

/** Condition keys about the resource. In a resource or trust policy, the resource is fixed, so these keys have no use. */
const RESOURCE_KEYS: ReadonlySet<string> = new Set(['aws:resourceaccount', 'aws:resourceorgid', 'aws:resourceorgpaths']);

function operators(check: (operator: OperatorView) => boolean): Rule['find'] {
  return function* ({ statements }) {
    for (const operator of statements.flatMap((statement) => statement.operators)) {
      if (check(operator)) yield { at: operator.keyPlace };
    }
  };
}

/** Checks one condition test. Returns the parts of the message if it finds a problem, otherwise `undefined`. */
type Check = (test: ConditionTestView, view: PolicyView) => readonly string[] | undefined;

/** Creates a rule that checks the condition tests of all statements. The place of a finding is the test's key. */
function tests(check: Check): Rule['find'] {
  return function* (view) {
    for (const statement of view.statements) yield* hitsIn(statement.tests, check, view);
  };
}

/** Creates a rule that checks the condition tests of Allow statements. */
function testsOfAllow(check: Check): Rule['find'] {
  return function* (view) {
    for (const statement of view.statements) {
      if (statement.effect === 'Allow') yield* hitsIn(statement.tests, check, view);
    }
  };
}

function* hitsIn(conditionTests: readonly ConditionTestView[], check: Check, view: PolicyView): Iterable<Hit> {
  for (const test of conditionTests) {
    const parts = check(test, view);
    if (parts !== undefined) yield { at: test.keyPlace, parts };
  }
}

/**
 * Reports `StringLike` in Allow and `StringNotLike` in Deny on ARN keys. A wildcard of these operators also matches the
 * colons of an ARN, so the statement can allow more access than intended.
 */
function* stringLikeOnArn({ statements }: PolicyView): Iterable<Hit> {
  for (const { effect, tests: conditionTests } of statements) {
    for (const { known, read, key, keyPlace } of conditionTests) {
      if (known?.type !== 'ARN' || read?.operator.family !== 'like' || read.operator.negated !== (effect === 'Deny')) continue;
      yield { at: keyPlace, parts: [allowedTypes(known), operatorType(read.operator.family), key] };
    }
  }
}

function isNullIfExists(name: string): boolean {
  return /^(forallvalues:|foranyvalue:)?nullifexists$/i.test(name);
}

function* unknownOperators({ statements }: PolicyView): Iterable<Hit> {
  for (const { name, read, keyPlace } of statements.flatMap((statement) => statement.operators)) {
    if (read !== undefined || isNullIfExists(name)) continue;
    yield { at: keyPlace, parts: [name] };
  }
}

/** Accepts `service:keyname` with a nonempty name, and the keys of identity providers: `issuer.example.com/path:claim`. */
function isKeyFormat(key: string): boolean {
  const colon = key.indexOf(':');
  return colon > 0 && colon < key.length - 1;
}

function prefixOf(key: string): string {
  return key.slice(0, Math.max(key.indexOf(':'), 0)).toLowerCase();
}

const TAG_KEYS = ['aws:principaltag', 'aws:requesttag', 'aws:resourcetag', 'iam:resourcetag'] as const;

function isTagKeyWithoutTag(key: string): boolean {
  const lower = key.toLowerCase();
  return TAG_KEYS.some((tag) => lower === tag || lower === `${tag}/`);
}

function unknownGlobalKey({ key, known }: ConditionTestView): readonly string[] | undefined {
  if (prefixOf(key) !== 'aws' || known !== undefined || !isKeyFormat(key) || key.toLowerCase() === 'aws:arn' || isTagKeyWithoutTag(key))
    return undefined;
  return [key];
}

function unknownServiceKey({ key, known }: ConditionTestView, { reference }: PolicyView): readonly string[] | undefined {
  const prefix = prefixOf(key);
  if (prefix === 'aws' || known !== undefined || !isKeyFormat(key) || isTagKeyWithoutTag(key)) return undefined;
  if (reference.actionsOf(prefix) === undefined) return undefined;
  return [key, prefix];
}

/**
 * Valid prefixes of condition keys, other than the action prefixes of services.
 *
 * Source: IAM User Guide, "Keys for AWS web identity federation", "… for SAML-based federation".
 */
const OTHER_PREFIXES: ReadonlySet<string> = new Set([
  'aws',
  'saml',
  'www.amazon.com',
  'accounts.google.com',
  'graph.facebook.com',
  'cognito-identity.amazonaws.com',
]);

function unknownService({ key }: ConditionTestView, { reference }: PolicyView): readonly string[] | undefined {
  const prefix = prefixOf(key);
  // The prefix of an identity provider's keys is its host name.
  if (prefix === '' || prefix.includes('.') || OTHER_PREFIXES.has(prefix) || isService(reference, prefix)) return undefined;
  return reference.conditionKey(key) === undefined ? [prefix] : undefined;
}

function* repeatedKeys({ statements }: PolicyView): Iterable<Hit> {
  for (const operator of statements.flatMap((statement) => statement.operators)) {
    const byName = Map.groupBy(operator.tests, ({ key }) => key.toLowerCase());
    for (const same of byName.values()) {
      const [first] = same;
      if (first !== undefined && same.length > 1) yield { at: same.map(({ keyPlace }) => keyPlace), parts: [first.key] };
    }
  }
}

/**
 * Operator families that can compare each type of condition key, and their names in messages. Assumed: multivalued
 * string keys accept all string operators.
 *
 * Recorded: (1) ValidatePolicy does not report ARN operators on String keys. (2) Its messages contain the names
 * `Boolean` and `ARN, String`. Assumed: the other names have the same form.
 */
const FAMILIES: Readonly<Record<ConditionKeyReference['type'], { readonly name: string; readonly families: readonly ValueFamily[] }>> = {
  String: { name: 'String', families: ['text', 'text-ignore-case', 'like', 'arn'] },
  ARN: { name: 'ARN, String', families: ['arn', 'text', 'text-ignore-case', 'like'] },
  Bool: { name: 'Boolean', families: ['bool'] },
  Numeric: { name: 'Numeric', families: ['number'] },
  Date: { name: 'Date, Numeric', families: ['date', 'number'] },
  IPAddress: { name: 'IP address', families: ['address'] },
  Binary: { name: 'Binary', families: ['binary'] },
};

/** Returns the operator types that a message recommends for a condition key. */
function allowedTypes({ type }: ConditionKeyReference): string {
  return FAMILIES[type].name;
}

/**
 * Returns the type of an operator as messages name it. Recorded: `string` for StringEquals and StringNotLike. Assumed:
 * the names of the other types.
 */
function operatorType(family: ValueFamily): string {
  return OPERATOR_TYPES[family];
}

const OPERATOR_TYPES: Readonly<Record<ValueFamily, string>> = {
  text: 'string',
  'text-ignore-case': 'string',
  like: 'string',
  number: 'numeric',
  date: 'date',
  bool: 'boolean',
  binary: 'binary',
  address: 'IP address',
  arn: 'ARN',
  null: 'null',
};

function mismatch({ known, read, key }: ConditionTestView): readonly string[] | undefined {
  if (known === undefined || read === undefined || read.operator.family === 'null') return undefined;
  const { family } = read.operator;
  return FAMILIES[known.type].families.includes(family) ? undefined : [allowedTypes(known), operatorType(family), key];
}

function emptyAs(
  { read, items, span, key }: ConditionTestView,
  wanted: 'plain' | 'ForAllValues' | 'ForAnyValue' | 'IfExists',
): readonly string[] | undefined {
  if (read === undefined || items.length > 0 || span.end - span.start < 2) return undefined;
  const form = read.quantifier !== 'single' ? read.quantifier : read.ifExists ? 'IfExists' : 'plain';
  return form === wanted ? [key] : undefined;
}
