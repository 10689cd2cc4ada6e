/** Configuration rules: the results of all rules, with the calls that show the facts. Requirement COMP-6. */
import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import { loadRules } from '#server/core/configuration-rules.ts';
import type { EvaluatedRule, ServerFacts } from '#services/kit/configuration-rule.ts';
import { evaluateRule } from '#services/kit/rule-results.ts';
import type { Store } from '#store/store.ts';
import { described, list, type Of, object, oneOf, text, texts, whole } from '../shape.ts';
import type { ReportFolder } from './report-folder.ts';

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
      action: text,
      input: texts,
      member: described(text, 'Member of the output, as a JMESPath expression.'),
      value: text,
    }),
  ),
});

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
  file: text,
});
export type Rules = Of<typeof RULES>;

/** Maximum numbers in the report. The file has all results. */
const RULES_MAX = 500;
const ANNOTATIONS_MAX = 5;

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
  const counts = { COMPLIANT: 0, NON_COMPLIANT: 0, NOT_APPLICABLE: 0 };
  const loaded = await loadRules();
  for (const accountId of accountIds) {
    // Only the results of one rule are in memory at a time.
    for (const rule of loaded) {
      const evaluated = await evaluateRule(rule, { ...reading, accountId });
      counts[evaluated.compliance]++;
      for (const result of evaluated.results) file.add({ accountId, rule: evaluated.rule.name, ...result });
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
    file: file.name,
  };
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
