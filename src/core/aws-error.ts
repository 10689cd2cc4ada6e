/** Error codes that every service can return. `wire/errors.ts` formats them for each protocol. */
export type CommonErrorCode =
  | 'AccessDenied'
  | 'ValidationError'
  | 'InvalidClientTokenId'
  | 'SignatureDoesNotMatch'
  | 'ExpiredToken'
  | 'MissingAuthenticationToken'
  | 'IncompleteSignature'
  | 'RequestExpired'
  | 'Throttling'
  | 'InternalFailure'
  | 'ServiceUnavailable'
  | 'NotYetImplementedException'
  | 'RequestTooLarge'
  | 'SerializationException'
  | 'UnknownOperationException'
  | 'InvalidAction'
  | 'MissingAction'
  | 'UnrecognizedServiceException'
  | 'UnsupportedMediaTypeException';

/**
 * Error response to the client. It has a message and an error code of the service's model or of `CommonErrorCode`.
 *
 * Operations, `access` and `wire` throw it. Only `server/core/answer.ts` catches it. The model defines the HTTP status.
 *
 * `code` is the name of the error *shape* if the model has one (`NoSuchEntityException`, `BadRequestException`).
 * Otherwise it is the common name without a suffix (`AccessDenied`, `ValidationError`, `Throttling`), which `wire`
 * formats for each protocol.
 * `members` contains additional members of the error shape (`{ ResourceName: '…' }`).
 */
export class AwsError extends Error {
  readonly code: string;
  readonly members: Readonly<Record<string, unknown>>;

  constructor(code: string, message: string, members: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.name = 'AwsError';
    this.code = code;
    this.members = members;
  }
}
