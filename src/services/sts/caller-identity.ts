/** STS operations that only read: GetCallerIdentity, GetAccessKeyInfo and DecodeAuthorizationMessage. */
import { accountOfAccessKeyId } from '#core/access-key-id.ts';
import type { DecodeAuthorizationMessageRequest, GetAccessKeyInfoRequest, GetCallerIdentityRequest, StsApi } from '#model/generated/sts.ts';
import type { DeclaredOperation } from '../kit/operation.ts';
import type { StsDeps } from './deps.ts';
import { AwsError } from './errors.ts';

/** Returns the caller. Requires no permission, and no policy can deny it. Requirement STS-11. */
export const getCallerIdentity: DeclaredOperation<GetCallerIdentityRequest, StsApi['GetCallerIdentity']['output']> = {
  access: () => ({ resources: ['*'], always: true }),
  async handle({ principal }) {
    return { UserId: principal.principalId, Account: principal.accountId, Arn: principal.arn };
  },
};

/**
 * Returns the account that an access key ID encodes. A long-term key must exist. The keys of sessions are not stored,
 * so the operation only decodes their IDs.
 *
 * @throws AwsError ValidationError  the key does not exist
 *
 * Source: STS API reference, GetAccessKeyInfo: keys of any account, active or not. Assumed: the error for an invalid key.
 */
export const getAccessKeyInfo: DeclaredOperation<GetAccessKeyInfoRequest, StsApi['GetAccessKeyInfo']['output']> = {
  async handle({ tx }, { AccessKeyId }) {
    const account = accountOfAccessKeyId(AccessKeyId);
    const known =
      account !== undefined &&
      (AccessKeyId.startsWith('ASIA') || (await tx.identity.get(account, 'access-key', AccessKeyId)) !== undefined);
    if (!known) throw new AwsError('ValidationError', `${AccessKeyId} is not a valid access key id`);
    return { Account: account };
  },
};

/**
 * Decodes the authorization message of a denial in the caller's account.
 *
 * @throws AwsError InvalidAuthorizationMessageException  the message is invalid, or is of another account
 */
export function decodeAuthorizationMessage(
  deps: StsDeps,
): DeclaredOperation<DecodeAuthorizationMessageRequest, StsApi['DecodeAuthorizationMessage']['output']> {
  return {
    async handle({ accountId }, { EncodedMessage }) {
      const decoded = deps.openMessage?.(EncodedMessage, accountId);
      if (decoded === undefined) throw new AwsError('InvalidAuthorizationMessageException', 'Message is not valid');
      return { DecodedMessage: decoded };
    },
  };
}
