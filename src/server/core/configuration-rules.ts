/** The configuration rules of all services and of the server. Requirement COMP-6. */
import type { ConfigurationRule } from '#services/kit/configuration-rule.ts';
import { SERVER_RULES } from './server-rules.ts';
import { DECLARED } from './services.ts';

/** Loads all rules, in the order of their names. */
export async function loadRules(): Promise<readonly ConfigurationRule[]> {
  const declared = await Promise.all(DECLARED.map(({ rules }) => rules?.() ?? []));
  return [...declared.flat(), ...SERVER_RULES].sort((a, b) => (a.name < b.name ? -1 : 1));
}
