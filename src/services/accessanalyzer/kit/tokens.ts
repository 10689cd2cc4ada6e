/** Client tokens of IAM Access Analyzer. */
import { once } from '../../kit/once.ts';
import type { Call } from '../../kit/operation.ts';
import { type AwsError, resourceError } from './errors.ts';

interface WithToken {
  readonly clientToken?: string;
}

/** What `createdOnce` needs to know about results of earlier requests. */
interface Results {
  /** Reports whether the result of the first request still exists. */
  readonly exists: (result: string) => Promise<boolean>;
  /** Returns the error for another request with the token. */
  readonly mismatch: (result: string) => AwsError;
}

/**
 * Creates something once for each client token, and returns its ID. Without a token, it always creates.
 *
 * @throws AwsError  the result of `mismatch`: the token was used for another request
 */
export async function createdOnce<Request extends WithToken>(
  call: Call,
  operation: string,
  { clientToken, ...request }: Request,
  create: () => Promise<string>,
  { exists, mismatch }: Results,
): Promise<string> {
  if (clientToken === undefined) return await create();
  return await once(call, `access-analyzer:${operation}`, { ...request, ClientRequestToken: clientToken }, exists, create, mismatch);
}

/**
 * Runs a change of the resource with an ARN once for each client token. Without a token, it always runs. `exists` reports whether the result of the
 * first request still exists. Default: always, as for a deletion.
 *
 * @throws ConflictException  the token was used for another request
 */
export async function onceForToken(
  call: Call,
  operation: string,
  resourceArn: string,
  request: WithToken,
  run: () => Promise<void>,
  exists: () => Promise<boolean> = async () => true,
): Promise<void> {
  const create = async () => {
    await run();
    return resourceArn;
  };
  await createdOnce(call, operation, request, create, { exists, mismatch: () => tokenConflict(resourceArn) });
}

/** Returns the error for another request about an analyzer or archive rule with the same token. */
export function tokenConflict(resourceArn: string): AwsError {
  return resourceError('ConflictException', 'Analyzer', resourceArn, 'The client token was used for a request with other parameters.');
}
