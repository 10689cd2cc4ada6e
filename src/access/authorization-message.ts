import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { AccountId } from '#core/arn.ts';
import type { OperatorKeys } from './operator-keys.ts';
import { openVault } from './vault.ts';

/** Encrypted explanations of denials. Only callers in the same account with permission for DecodeAuthorizationMessage can read them. */
export interface AuthorizationMessages {
  /** Encrypts an explanation, a JSON string, for one account. */
  encode(reasons: string, accountId: AccountId): string;
  /** Decrypts an explanation. Returns `undefined` for an invalid message and for a message of another account. */
  open(encoded: string, accountId: AccountId): string | undefined;
}

/**
 * Creates functions that encrypt and decrypt the messages with the operator's keys. The explanation in a message is
 * compressed with deflate, as in AWS.
 *
 * Source: STS API reference, DecodeAuthorizationMessage: at most 10,240 characters.
 */
export function authorizationMessages(operatorKeys: OperatorKeys): AuthorizationMessages {
  const box = openVault(operatorKeys).box('authorization messages');
  return {
    encode: (reasons, accountId) => box.seal(deflateRawSync(reasons), accountId).toString('base64url'),
    open(encoded, accountId) {
      const plain = box.open(Buffer.from(encoded, 'base64url'), accountId);
      return plain && inflateRawSync(plain).toString('utf8');
    },
  };
}
