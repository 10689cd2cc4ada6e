import { type OperationTable, operationTable } from '../kit/operation-table.ts';
import { checkAccessNotGranted, checkNoNewAccess } from './access-checks.ts';
import { explainDecision } from './explain-decision.ts';
import { policyGenerationOperations } from './policy-generation.ts';
import { validatePolicy } from './validate-policy.ts';

/** Returns the operations of IAM Access Analyzer, and the own operations. Only those that check a policy document or explain a decision are implemented. */
export function accessanalyzerOperations(): OperationTable<'accessanalyzer'> {
  return operationTable('accessanalyzer', {
    ValidatePolicy: validatePolicy,
    CheckNoNewAccess: checkNoNewAccess,
    CheckAccessNotGranted: checkAccessNotGranted,
    ExplainDecision: explainDecision,
    ...policyGenerationOperations,
  });
}
