import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { loadOrCreateOperatorKey } from '#access/operator-keys.ts';
import { newSessionTokens } from '#access/session-token.ts';
import type { AccountId } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import type { Keys } from './keys.ts';
import type { TestServer } from './server.ts';

/**
 * Issues credentials for a session of a user or of the root user, without a call of STS. Encrypts the session token
 * with the server's operator key. The session began an hour ago. Tests use this function for sessions that STS would
 * not issue: expired sessions, and sessions of a deleted user.
 */
export function issueSession(
  { dataFolder, accountId }: TestServer,
  user: { readonly userId: string; readonly userName?: string } | 'root',
  endsInSeconds: number,
): Keys {
  const now = Date.now();
  const facts = {
    issuedAt: instant(now - 3_600_000),
    expiresAt: instant(now + endsInSeconds * 1000),
    mfaAuthenticated: false,
    tags: {},
    transitiveTagKeys: [],
    chained: false,
  };
  const principal = user === 'root' ? ({ kind: 'root' } as const) : ({ kind: 'user', ...user } as const);
  const tokens = newSessionTokens(loadOrCreateOperatorKey(join(dataFolder, 'operator.key')));
  const issued = tokens.issue({ ...principal, accountId: accountId as AccountId, session: facts }, randomBytes);
  assert.ok(issued.outcome === 'issued');
  const { accessKeyId, secretAccessKey, sessionToken } = issued.credentials;
  return { accessKeyId, secretAccessKey, sessionToken };
}
