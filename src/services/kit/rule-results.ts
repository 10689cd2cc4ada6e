/** Evaluation of configuration rules, and the format of their results. */
import { createHash } from 'node:crypto';
import type { ConfigurationRule, EvaluatedRule, Evidence, RuleCompliance, RuleReading, RuleResult } from './configuration-rule.ts';

/** Maximum length of an annotation. Source: AWS Config API, Evaluation, Annotation. */
const ANNOTATION_MAX = 256;
/** Maximum length of the value of an evidence. A longer value is shown as its SHA-256. */
const VALUE_MAX = 256;

/** Evaluates a rule for an account. */
export async function evaluateRule(rule: ConfigurationRule, reading: RuleReading): Promise<EvaluatedRule> {
  const results = [...(await rule.evaluate(reading))].sort((a, b) => (resultKey(a) < resultKey(b) ? -1 : 1));
  return { rule, compliance: complianceOf(results), results };
}

/** Returns the key of a result, which is unique among the results of a rule. */
export function resultKey({ resourceType, resourceId }: RuleResult): string {
  return `${resourceType} ${resourceId}`;
}

/** Source: AWS Config API, Compliance: a rule is compliant if all its resources are. */
function complianceOf(results: readonly RuleResult[]): RuleCompliance {
  if (results.length === 0) return 'NOT_APPLICABLE';
  return results.every(({ compliance }) => compliance === 'COMPLIANT') ? 'COMPLIANT' : 'NON_COMPLIANT';
}

/** Resource of a result. */
export interface RuleResource {
  readonly type: string;
  readonly id: string;
}

/** Returns the account as the resource of a result. */
export function accountResource({ accountId }: Pick<RuleReading, 'accountId'>): RuleResource {
  return { type: 'AWS::::Account', id: accountId };
}

/** Returns the result for a resource. Cuts a long annotation. */
export function ruleResult(
  { type, id }: RuleResource,
  isCompliant: boolean,
  annotation: string,
  evidence: readonly Evidence[] = [],
): RuleResult {
  const short = annotation.length <= ANNOTATION_MAX ? annotation : `${annotation.slice(0, ANNOTATION_MAX - 1)}…`;
  return { resourceType: type, resourceId: id, compliance: isCompliant ? 'COMPLIANT' : 'NON_COMPLIANT', annotation: short, evidence };
}

/**
 * Returns the value of an evidence: strings as they are, numbers and booleans as in JSON, an absent member as an empty string. Times are
 * passed as `isoSeconds` formats them. A value with more than 256 characters becomes its SHA-256, such as `sha256:9f86d0…`.
 */
export function evidenceValue(value: string | number | boolean | undefined): string {
  const text = value === undefined ? '' : String(value);
  return text.length <= VALUE_MAX ? text : `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

/** Returns a call that shows a fact. */
export function evidence(action: string, input: Evidence['input'], member: string, value: string | number | boolean | undefined): Evidence {
  return { action, input, member, value: evidenceValue(value) };
}

/** Returns a call that shows a policy. `shown` is its text as the call returns it, such as percent-encoded. */
export function policyEvidence(
  { withPolicies }: Pick<RuleReading, 'withPolicies'>,
  call: Pick<Evidence, 'action' | 'input' | 'member'>,
  policy: string,
  shown = policy,
): Evidence {
  return { ...call, value: evidenceValue(shown), ...(withPolicies === true && { policy }) };
}

/** Returns a string as a JMESPath string literal. Source: JMESPath specification, "Raw string literals". */
export function jmesText(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
