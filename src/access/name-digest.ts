import { createHmac, hkdfSync } from 'node:crypto';
import { derivedFrom, type OperatorKeys } from './operator-keys.ts';

/** Returns a short text that stands for a typed name and does not reveal it. Servers with the same operator key return the same text. */
export type NameDigest = (typed: string) => string;

/**
 * Returns the digest under the newest operator key. A user who types a password as the name leaves only a keyed hash in the database.
 */
export function nameDigest(operatorKeys: OperatorKeys): NameDigest {
  const key = derivedFrom(operatorKeys, ([newest]) =>
    Buffer.from(hkdfSync('sha256', newest as Uint8Array, '', 'belfry sign-in names', 32)),
  );
  return (typed) => createHmac('sha256', key()).update(typed).digest('base64url').slice(0, 22);
}
