import { createHmac, hkdfSync } from 'node:crypto';
import { derivedFrom, type OperatorKeys } from './operator-keys.ts';

/**
 * Function that returns a keyed hash of the name that a user typed at sign-in, in 22 characters. Servers with the same
 * operator key return the same hash.
 */
export type NameDigest = (typed: string) => string;

/**
 * Creates the digest with the newest operator key. The database stores this hash instead of the name, because a user
 * may type the password by mistake.
 */
export function nameDigest(operatorKeys: OperatorKeys): NameDigest {
  const key = derivedFrom(operatorKeys, ([newest]) =>
    Buffer.from(hkdfSync('sha256', newest as Uint8Array, '', 'belfry sign-in names', 32)),
  );
  return (typed) => createHmac('sha256', key()).update(typed).digest('base64url').slice(0, 22);
}
