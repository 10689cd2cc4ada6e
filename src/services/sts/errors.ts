import type { AwsError as AnyError } from '#core/aws-error.ts';
import { serviceError } from '../kit/service-error.ts';

/** Error with a code of the model of STS, a common code, or `InvalidParameterValue`, which the model does not have. */
export const AwsError = serviceError<'sts', 'InvalidParameterValue'>();
/** Error with any code. */
export type AwsError = AnyError;
