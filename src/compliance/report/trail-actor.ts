/** The principal of a trail record, as the report counts it. */

/** Caller of a request. Sessions count for their role or user. */
export interface Actor {
  /** Type of CloudTrail's `userIdentity`. */
  readonly type: string;
  /** ARN of a user, root user or role. Otherwise the service, provider or account. Empty if the record names none. */
  readonly principal: string;
}

/** Longest name. ARNs of IAM have at most 2,048 characters. */
const NAME_MAX = 2_048;

/** Returns the caller in the `userIdentity` of a record. Source: CloudTrail User Guide, "CloudTrail userIdentity element". */
export function actorOf(userIdentity: unknown): Actor {
  const type = textAt(userIdentity, 'type') ?? 'Unknown';
  switch (type) {
    case 'AssumedRole':
    case 'FederatedUser':
      return actor(type, textAt(userIdentity, 'sessionContext', 'sessionIssuer', 'arn') ?? textAt(userIdentity, 'arn'));
    case 'AWSService':
      return actor(type, textAt(userIdentity, 'invokedBy'));
    case 'AWSAccount':
      return actor(type, textAt(userIdentity, 'accountId'));
    case 'SAMLUser':
    case 'WebIdentityUser':
      return actor(type, textAt(userIdentity, 'identityProvider'));
    default:
      return actor(type, textAt(userIdentity, 'arn') ?? textAt(userIdentity, 'invokedBy'));
  }
}

function actor(type: string, principal = ''): Actor {
  return { type: type.slice(0, NAME_MAX), principal: principal.slice(0, NAME_MAX) };
}

function textAt(value: unknown, ...path: readonly string[]): string | undefined {
  let found = value;
  for (const name of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, name)) return undefined;
    found = (found as Readonly<Record<string, unknown>>)[name];
  }
  return typeof found === 'string' ? found : undefined;
}
