import type { AwsError as AnyError } from '#core/aws-error.ts';
import { serviceError } from '../kit/service-error.ts';

/** Error with a code of the model of CloudWatch, or a common code. */
export const AwsError = serviceError<'cloudwatch'>();
/** Error with any code. */
export type AwsError = AnyError;
