import type { AwsError as AnyError } from '#core/aws-error.ts';
import type { AccessanalyzerErrorCode } from '#model/generated/accessanalyzer.ts';
import { serviceError } from '../../kit/service-error.ts';

/** Error with a code of the model of IAM Access Analyzer, or a common code. */
export const AwsError = serviceError<'accessanalyzer'>();
/** Error with any code. */
export type AwsError = AnyError;

/** Returns the error for an invalid member of an input. Assumed: the messages of the callers. */
export function invalidField(name: string, message: string): AwsError {
  return new AwsError('ValidationException', message, { reason: 'fieldValidationFailed', fieldList: [{ name, message }] });
}

/** Types of resources in errors. */
export type ErrorResource = 'AccessPreview' | 'Analyzer' | 'ArchiveRule' | 'Finding' | 'Resource';

type ResourceErrorCode = Extract<
  AccessanalyzerErrorCode,
  'ConflictException' | 'ResourceNotFoundException' | 'ServiceQuotaExceededException'
>;

/** Returns an error about a resource. Assumed: the messages of the callers, and the values of `resourceType`. */
export function resourceError(code: ResourceErrorCode, resourceType: ErrorResource, resourceId: string, message: string): AwsError {
  return new AwsError(code, message, { resourceId, resourceType });
}

/** Returns the error for a resource that does not exist. */
export function notFound(resourceType: ErrorResource, resourceId: string): AwsError {
  return resourceError('ResourceNotFoundException', resourceType, resourceId, `${resourceType} not found: ${resourceId}`);
}
