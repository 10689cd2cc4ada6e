import { service } from '../kit/service.ts';
import { AwsError } from './errors.ts';

/** IAM Access Analyzer, with the policy checks that need no stored resources. */
export const accessanalyzer = service<object>({
  name: 'accessanalyzer',
  operations: async () => (await import('./operations.ts')).accessanalyzerOperations(),
  invalidPageToken(name) {
    const message = `Invalid ${name}.`;
    return new AwsError('ValidationException', message, { reason: 'fieldValidationFailed', fieldList: [{ name, message }] });
  },
});
