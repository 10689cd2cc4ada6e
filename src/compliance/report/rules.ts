/** Configuration rules: the results of all rules, with the calls that show the facts. Requirement COMP-6. */
import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import { loadRules } from '#server/core/configuration-rules.ts';
import type { EvaluatedRule, Evidence, RuleResult, ServerFacts } from '#services/kit/configuration-rule.ts';
import { evaluateRule } from '#services/kit/rule-results.ts';
import type { Store } from '#store/store.ts';
import { parsedRecord } from '#store/trail/trail-documents.ts';
import { anyObject, described, excerpt, excerptOf, list, type Of, object, oneOf, optional, text, texts, whole } from '../shape.ts';
import type { ReportFolder } from './report-folder.ts';
import { topItems } from './top-items.ts';

/** Call that shows a fact. */
const CALL = {
  action: text,
  input: texts,
  member: described(text, 'Member of the output, as a JMESPath expression.'),
} as const;

/** Result of a rule for one resource, in the file of all results. */
export const RULE_RESULT = object({
  accountId: text,
  rule: text,
  resourceType: text,
  resourceId: text,
  compliance: oneOf('COMPLIANT', 'NON_COMPLIANT'),
  annotation: text,
  evidence: list(
    object({
      ...CALL,
      value: described(text, 'Value of the member, or its SHA-256 if it is long.'),
      document: described(optional(anyObject), 'Policy that the member shows. IAM returns it percent-encoded.'),
    }),
  ),
});

const SHOWN_POLICY = object({
  accountId: text,
  rule: text,
  resourceType: text,
  resourceId: text,
  ...CALL,
  document: described(optional(anyObject), 'The policy. Absent if it is long: the file has it.'),
});
export type ShownPolicy = Of<typeof SHOWN_POLICY>;

const RULE = object({
  accountId: text,
  rule: text,
  description: text,
  parameters: list(text),
  requirements: list(text),
  compliance: oneOf('COMPLIANT', 'NON_COMPLIANT', 'NOT_APPLICABLE'),
  compliant: described(whole, 'Number of compliant resources.'),
  nonCompliant: whole,
  annotations: described(list(text), 'Sentences about some resources that are not compliant. The file has all results.'),
});

export const RULES = object({
  region: described(text, 'Region whose resources were read.'),
  compliant: described(whole, 'Number of rules, counted for each account.'),
  nonCompliant: whole,
  notApplicable: whole,
  rules: list(RULE),
  moreRules: described(whole, 'Rules of accounts that are not listed here.'),
  policies: described(excerpt(SHOWN_POLICY), 'Policies that show why resources are not compliant, in the order of accounts and rules.'),
  file: text,
});
export type Rules = Of<typeof RULES>;

/** Maximum numbers in the report. The file has all results. */
const RULES_MAX = 500;
const ANNOTATIONS_MAX = 5;
const POLICIES_MAX = 50;
/** Maximum length of a policy in the report, as `JSON.stringify` formats it. A managed policy has at most 6,144 characters without spaces. */
const POLICY_MAX_CHARACTERS = 8_000;

export interface RulesReading {
  readonly store: Pick<Store, 'transaction'>;
  readonly accountIds: readonly AccountId[];
  readonly region: string;
  readonly now: Instant;
  readonly server: ServerFacts;
}

/** Evaluates all rules for each account, writes the file about results, and returns the section of the report. */
export async function rulesSection({ accountIds, ...reading }: RulesReading, folder: ReportFolder): Promise<Rules> {
  const file = folder.lines('rules.jsonl');
  const rules: Of<typeof RULE>[] = [];
  let moreRules = 0;
  const policies = topItems<ShownPolicy>(POLICIES_MAX, () => 0);
  const counts = { COMPLIANT: 0, NON_COMPLIANT: 0, NOT_APPLICABLE: 0 };
  const loaded = await loadRules();
  for (const accountId of accountIds) {
    // Only the results of one rule are in memory at a time.
    for (const rule of loaded) {
      const evaluated = await evaluateRule(rule, { ...reading, accountId, withPolicies: true });
      counts[evaluated.compliance]++;
      for (const result of evaluated.results) {
        const item = toItem(accountId, rule.name, result);
        file.add(item);
        if (item.compliance === 'NON_COMPLIANT') for (const shown of policiesOf(item)) policies.add(shown);
      }
      if (rules.length < RULES_MAX) rules.push(toRule(accountId, evaluated));
      else moreRules++;
    }
  }
  file.close();
  return {
    region: reading.region,
    compliant: counts.COMPLIANT,
    nonCompliant: counts.NON_COMPLIANT,
    notApplicable: counts.NOT_APPLICABLE,
    rules,
    moreRules,
    policies: excerptOf(policies.items(), policies.total(), file),
    file: file.name,
  };
}

function toItem(accountId: AccountId, rule: string, { evidence, ...result }: RuleResult): Of<typeof RULE_RESULT> {
  return { accountId, rule, ...result, evidence: evidence.map(withDocument) };
}

/** Returns evidence with its policy as JSON. Someone can replace a stored policy with text that is not JSON. */
function withDocument({ policy, ...evidence }: Evidence): Of<typeof RULE_RESULT>['evidence'][number] {
  const document = policy === undefined ? undefined : parsedRecord(policy);
  return document === undefined ? evidence : { ...evidence, document };
}

/** Yields the policies that a result names. */
function* policiesOf({ accountId, rule, resourceType, resourceId, evidence }: Of<typeof RULE_RESULT>): Iterable<ShownPolicy> {
  for (const { value: _, document, ...call } of evidence) {
    if (document === undefined) continue;
    const isShort = JSON.stringify(document, null, 2).length <= POLICY_MAX_CHARACTERS;
    yield { accountId, rule, resourceType, resourceId, ...call, ...(isShort && { document }) };
  }
}

function toRule(accountId: AccountId, { rule, compliance, results }: EvaluatedRule): Of<typeof RULE> {
  const bad = results.filter((each) => each.compliance === 'NON_COMPLIANT');
  return {
    accountId,
    rule: rule.name,
    description: rule.description,
    parameters: Object.entries(rule.parameters).map(([name, value]) => `${name} = ${value}`),
    requirements: rule.requirements,
    compliance,
    compliant: results.length - bad.length,
    nonCompliant: bad.length,
    annotations: bad.slice(0, ANNOTATIONS_MAX).map(({ annotation }) => annotation),
  };
}
