import { type OperationTable, operationTable } from '../kit/operation-table.ts';
import { checkAccessNotGranted, checkNoNewAccess } from './access-checks.ts';
import { type RuleParts, ruleOperations } from './configuration-rules.ts';
import { explainDecision } from './explain-decision.ts';
import { validatePolicy } from './validate-policy.ts';

/**
 * Returns the operations of IAM Access Analyzer, and the own operations. Only those that check a policy document, explain a decision or
 * evaluate configuration rules are implemented.
 */
export function accessanalyzerOperations(parts: RuleParts): OperationTable<'accessanalyzer'> {
  return operationTable('accessanalyzer', {
    ValidatePolicy: validatePolicy,
    CheckNoNewAccess: checkNoNewAccess,
    CheckAccessNotGranted: checkAccessNotGranted,
    ExplainDecision: explainDecision,
    ...ruleOperations(parts),
  });
}
