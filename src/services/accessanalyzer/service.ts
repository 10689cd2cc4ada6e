import { service } from '../kit/service.ts';
import type { RuleParts } from './configuration-rules.ts';
import { AwsError } from './errors.ts';

/** IAM Access Analyzer, with the policy checks that need no stored resources, and the configuration rules of all services. */
export const accessanalyzer = service<RuleParts>({
  name: 'accessanalyzer',
  operations: async (parts) => (await import('./operations.ts')).accessanalyzerOperations(parts),
  invalidPageToken(name) {
    const message = `Invalid ${name}.`;
    return new AwsError('ValidationException', message, { reason: 'fieldValidationFailed', fieldList: [{ name, message }] });
  },
});
