/** The configuration rules of all services and of the server. Requirement COMP-6. */
import type { ConfigurationRule, EvaluatedRule, RuleReading } from '#services/kit/configuration-rule.ts';
import { evaluateRule } from '#services/kit/rule-results.ts';
import { SERVER_RULES } from './server-rules.ts';
import { DECLARED } from './services.ts';

/** Loads all rules, in the order of their names. */
export async function loadRules(): Promise<readonly ConfigurationRule[]> {
  const declared = await Promise.all(DECLARED.map(({ rules }) => rules?.() ?? []));
  return [...declared.flat(), ...SERVER_RULES].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * Evaluates all rules for an account, in the order of their names. Reads in many short transactions, so the results of two rules can
 * describe two moments. `serverFacts` (`server-facts.ts`) returns the facts of the
 * server, and `readOnlyStore` the store of a command.
 */
export async function evaluateRules(reading: RuleReading): Promise<readonly EvaluatedRule[]> {
  const evaluated: EvaluatedRule[] = [];
  for (const rule of await loadRules()) evaluated.push(await evaluateRule(rule, reading));
  return evaluated;
}
