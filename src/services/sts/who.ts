/** What STS says about principals, keys and refusals: it makes nothing. */
import { accountOfAccessKeyId } from '#core/access-key-id.ts';
import type { DecodeAuthorizationMessageRequest, GetAccessKeyInfoRequest, GetCallerIdentityRequest, StsApi } from '#model/generated/sts.ts';
import type { DeclaredOperation } from '../kit/operation.ts';
import type { StsDeps } from './deps.ts';
import { AwsError } from './errors.ts';

/** Who signed. Needs no permission, and no policy can deny it. Requirement STS-11. */
export const getCallerIdentity: DeclaredOperation<GetCallerIdentityRequest, StsApi['GetCallerIdentity']['output']> = {
  access: () => ({ resources: ['*'], always: true }),
  async handle({ principal }) {
    return { UserId: principal.principalId, Account: principal.accountId, Arn: principal.arn };
  },
};

/**
 * The account of an access key id: it is written in it. A long-term key must be there besides; a session's is kept nowhere.
 *
 * @throws AwsError ValidationError no such key
 *
 * Source: STS API reference, GetAccessKeyInfo: any account's, active or not. Assumed: the answer for a key that is none.
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
 * The reasons of a refusal, as it was encoded for the caller's account.
 *
 * @throws AwsError InvalidAuthorizationMessageException it is no such message, or another account's
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
