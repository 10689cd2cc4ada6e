/** Errors of S3: their codes and statuses, and how S3 names the errors that every service can return. */
import { AwsError, type CommonErrorCode } from '#core/aws-error.ts';

/**
 * Status of each code that is not in the model of S3. Other codes have status 400.
 *
 * Source: Amazon S3 API Reference, "Error responses"; record.md C5.
 */
// biome-ignore format: a table
const STATUSES: Readonly<Record<string, number>> = {
  NotModified: 304,
  AccessDenied: 403, InvalidAccessKeyId: 403, RequestTimeTooSkewed: 403, SignatureDoesNotMatch: 403, AllAccessDisabled: 403,
  NoSuchBucketPolicy: 404, NoSuchLifecycleConfiguration: 404, NoSuchVersion: 404,
  MethodNotAllowed: 405,
  BucketNotEmpty: 409, OperationAborted: 409, InvalidBucketState: 409, ConditionalRequestConflict: 409,
  MissingContentLength: 411, PreconditionFailed: 412, InvalidRange: 416,
  InternalError: 500, NotImplemented: 501, ServiceUnavailable: 503, SlowDown: 503,
  InsufficientStorage: 507, // Assumed, see server/disk-reserve.ts
};

/**
 * Codes of S3 for common errors. `MissingAuthenticationToken` is an anonymous request.
 *
 * Source: Amazon S3 API Reference, "Error responses". Assumed: the codes for `UnknownOperationException` and `ValidationError`.
 */
// biome-ignore format: a table
const COMMON: Readonly<Partial<Record<CommonErrorCode, string>>> = {
  ValidationError:               'InvalidArgument',
  InvalidClientTokenId:          'InvalidAccessKeyId',
  MissingAuthenticationToken:    'AccessDenied',
  IncompleteSignature:           'AuthorizationHeaderMalformed',
  RequestExpired:                'AccessDenied',
  Throttling:                    'SlowDown',
  InternalFailure:               'InternalError',
  NotYetImplementedException:    'NotImplemented',
  RequestTooLarge:               'EntityTooLarge',
  SerializationException:        'MalformedXML',
  UnknownOperationException:     'MethodNotAllowed',
  InvalidAction:                 'MethodNotAllowed',
  MissingAction:                 'MethodNotAllowed',
  UnrecognizedServiceException:  'MethodNotAllowed',
  UnsupportedMediaTypeException: 'InvalidArgument',
};

/** Returns the code and the status of an error that is not in the model of S3. */
export function s3Code(code: string): { readonly code: string; readonly status: number } {
  const named = Object.hasOwn(COMMON, code) ? (COMMON[code as CommonErrorCode] as string) : code;
  return { code: named, status: Object.hasOwn(STATUSES, named) ? (STATUSES[named] as number) : 400 };
}

/** Returns the error for a document that is not well-formed or does not match the model. */
export function malformedXml(): AwsError {
  return new AwsError('MalformedXML', 'The XML you provided was not well-formed or did not validate against our published schema');
}

/** Returns the error for an invalid header or parameter in the query. The error quotes at most 256 characters of the value. */
export function invalidArgument(message: string, name: string, value: string): AwsError {
  return new AwsError('InvalidArgument', message, { ArgumentName: name, ArgumentValue: value.slice(0, 256) });
}
