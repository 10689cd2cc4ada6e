/** Error types of SCIM. Source: RFC 7644, section 3.12, table 9. */
export type ScimType =
  | 'invalidFilter'
  | 'tooMany'
  | 'uniqueness'
  | 'mutability'
  | 'invalidSyntax'
  | 'invalidPath'
  | 'noTarget'
  | 'invalidValue';

/** Error for the client of the SCIM endpoint. The message contains no value of the request, because it is in the trail. */
export class ScimError extends Error {
  readonly status: number;
  readonly scimType: ScimType | undefined;
  /** Methods that are possible, for status 405. */
  readonly allow: string | undefined;

  constructor(status: number, scimType: ScimType | undefined, message: string, allow?: string) {
    super(message);
    this.allow = allow;
    this.name = 'ScimError';
    this.status = status;
    this.scimType = scimType;
  }
}

export function invalidValue(message: string): ScimError {
  return new ScimError(400, 'invalidValue', message);
}

export function invalidPath(): ScimError {
  return new ScimError(400, 'invalidPath', 'The path is not supported.');
}

export function notFoundError(): ScimError {
  return new ScimError(404, undefined, 'The resource does not exist.');
}

export function notUnique(attribute: string): ScimError {
  return new ScimError(409, 'uniqueness', `The ${attribute} is in use.`);
}
