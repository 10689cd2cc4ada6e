import { type OperationTable, operationTable } from '../kit/operation-table.ts';
import { checkAccessNotGranted, checkNoNewAccess } from './access-checks.ts';
import { validatePolicy } from './validate-policy.ts';

/** Returns the operations of IAM Access Analyzer. Only the operations that check a policy document are implemented. */
export function accessanalyzerOperations(): OperationTable<'accessanalyzer'> {
  return operationTable('accessanalyzer', {
    ValidatePolicy: validatePolicy,
    CheckNoNewAccess: checkNoNewAccess,
    CheckAccessNotGranted: checkAccessNotGranted,
  });
}
