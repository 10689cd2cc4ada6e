import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { AccountId } from '#core/arn.ts';
import type { OperatorKeys } from './operator-keys.ts';
import { openVault } from './vault.ts';

/** The reasons of a refusal, readable by those in the account who may call DecodeAuthorizationMessage and by nobody else. */
export interface AuthorizationMessages {
  /** Seals the reasons (JSON text) for one account. */
  encode(reasons: string, accountId: AccountId): string;
  /** Undefined where the text is no such message, or another account's. */
  open(encoded: string, accountId: AccountId): string | undefined;
}

/** Source: STS API reference, DecodeAuthorizationMessage: at most 10,240 characters, deflated as AWS's are. */
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
