import type { AwsError as AnyError } from '#core/aws-error.ts';
import { serviceError } from '../kit/service-error.ts';

/** Codes that S3 returns although its model omits them. Source: S3 API Reference, "Error responses". */
export type S3Code =
  | 'AccessControlListNotSupported'
  | 'BadDigest'
  | 'BucketNotEmpty'
  | 'EntityTooLarge'
  | 'EntityTooSmall'
  | 'IllegalLocationConstraintException'
  | 'InvalidArgument'
  | 'InvalidBucketAclWithObjectOwnership'
  | 'InvalidBucketName'
  | 'InvalidBucketOwnerAWSAccountID'
  | 'InvalidLocationConstraint'
  | 'InvalidPart'
  | 'InvalidPartNumber'
  | 'InvalidPartOrder'
  | 'InvalidRange'
  | 'InvalidStorageClass'
  | 'InvalidURI'
  | 'KeyTooLongError'
  | 'MalformedPolicy'
  | 'MalformedXML'
  | 'MetadataTooLarge'
  | 'NoSuchBucketPolicy'
  | 'NoSuchLifecycleConfiguration'
  | 'NotImplemented'
  | 'NotModified'
  | 'PreconditionFailed'
  | 'TooManyBuckets';

/** Error with a code of the model of S3, a common code, or one of `S3Code`. */
export const AwsError = serviceError<'s3', S3Code>();
/** Error with any code. */
export type AwsError = AnyError;

/** Returns the error for a header or an element whose function this server does not have. Source: S3 API Reference, "Error responses". */
export function notImplemented(header: string): AnyError {
  return new AwsError('NotImplemented', 'A header you provided implies functionality that is not implemented', { Header: header });
}

/** Returns the error for an invalid parameter. */
export function invalidArgument(message: string, name: string, value: string | number | undefined): AnyError {
  return new AwsError('InvalidArgument', message, { ArgumentName: name, ArgumentValue: `${value ?? ''}` });
}

/** Returns the error for XML that does not match the schema of the request. */
export function malformedXml(): AnyError {
  return new AwsError('MalformedXML', 'The XML you provided was not well-formed or did not validate against our published schema');
}

/** Returns the error for a permission that the caller lacks, without a reason. */
export function accessDenied(): AnyError {
  return new AwsError('AccessDenied', 'Access Denied');
}
