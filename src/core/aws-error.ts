/**
 * An answer for the client: a code of the service's model (or one every service may give) and a text in AWS's words.
 * Thrown by operations, `access` and `wire`; caught in one place, `server/answer.ts`. The HTTP status is the model's business.
 *
 * `code` is the *shape* name where the model has one (`NoSuchEntityException`, `BadRequestException`), else the common
 * name without a protocol's ending (`AccessDenied`, `ValidationError`, `Throttling`), which `wire` spells for each protocol.
 * `members` are further members of the error shape, as the model names them (`{ ResourceName: '…' }`).
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
