/** Client tokens of IAM Access Analyzer. */

import { once } from '../kit/once.ts';
import type { Call } from '../kit/operation.ts';
import { resourceError } from './errors.ts';

/**
 * Runs a change once for each client token. Without a token, it always runs. `exists` reports whether the result of the first request still exists.
 * Default: always, as for a deletion.
 *
 * @throws ConflictException  the token was used for another request
 */
export async function onceForToken(
  call: Call,
  operation: string,
  resourceArn: string,
  { clientToken, ...request }: { readonly clientToken?: string },
  run: () => Promise<void>,
  exists: () => Promise<boolean> = async () => true,
): Promise<void> {
  if (clientToken === undefined) return await run();
  const mismatch = () =>
    resourceError('ConflictException', 'Analyzer', resourceArn, 'The client token was used for a request with other parameters.');
  const create = async () => {
    await run();
    return resourceArn;
  };
  await once(call, `access-analyzer:${operation}`, { ...request, ClientRequestToken: clientToken }, exists, create, mismatch);
}
