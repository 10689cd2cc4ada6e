import { createHmac, hkdfSync } from 'node:crypto';
import { derivedFrom, type OperatorKeys } from './operator-keys.ts';

/** Returns a keyed hash of a typed name, in 22 characters. Servers with the same operator key return the same hash. */
export type NameDigest = (typed: string) => string;

/**
 * Creates the digest under the newest operator key. If a user types a password as the name, the database contains only its keyed hash.
 */
export function nameDigest(operatorKeys: OperatorKeys): NameDigest {
  const key = derivedFrom(operatorKeys, ([newest]) =>
    Buffer.from(hkdfSync('sha256', newest as Uint8Array, '', 'belfry sign-in names', 32)),
  );
  return (typed) => createHmac('sha256', key()).update(typed).digest('base64url').slice(0, 22);
}
