import { type OperationTable, operationTable } from '../kit/operation-table.ts';
import { checkAccessNotGranted, checkNoNewAccess } from './access-checks.ts';
import { validatePolicy } from './validate-policy.ts';

/** Every operation of IAM Access Analyzer; of them, those that judge a policy by itself are built. */
export function accessanalyzerOperations(): OperationTable<'accessanalyzer'> {
  return operationTable('accessanalyzer', {
    ValidatePolicy: validatePolicy,
    CheckNoNewAccess: checkNoNewAccess,
    CheckAccessNotGranted: checkAccessNotGranted,
  });
}
