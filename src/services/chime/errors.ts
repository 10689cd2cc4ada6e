import type { AwsError as AnyError } from '#core/aws-error.ts';
import { serviceError } from '../kit/service-error.ts';

/** Error with a code of the model of Amazon Chime, or a common code. */
export const AwsError = serviceError<'chime'>();
/** Error with any code. */
export type AwsError = AnyError;
