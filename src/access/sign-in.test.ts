import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { type AccountId, arn } from '#core/arn.ts';
import { type Instant, instant } from '#core/instant.ts';
import { changeTo } from '#store/identity/record-examples.ts';
import { principalsOf } from './principals.ts';
import { newSessionTokens, type SessionClaims } from './session-token.ts';
import { consoleSignIns } from './sign-in.ts';
import { newSnapshot } from './snapshot.ts';
import { openVault } from './vault.ts';

const ACCOUNT = '111122223333' as AccountId;
const NOW = instant(1_795_314_300_123);
const later = (seconds: number): Instant => instant(NOW + seconds * 1000);

/** Returns the functions for console sign-ins on a server with one role. */
function rig(maxSessionSeconds = 3600, key = Buffer.alloc(32, 7)) {
  const snapshot = newSnapshot();
  const record = {
    accountId: ACCOUNT,
    arn: arn('iam', '', ACCOUNT, 'role/desk'),
    path: '/',
    createdAt: NOW,
    attachedPolicyArns: [],
    inlinePolicies: {},
    roleName: 'desk',
    roleId: 'AROAEXAMPLEEXAMPLEEXA',
    trustPolicy: '{}',
    maxSessionSeconds,
    tags: [],
  };
  snapshot.apply(1, [changeTo({ accountId: ACCOUNT, kind: 'role', key: 'desk', version: 1, record })]);
  const sessions = newSessionTokens([key]);
  const signIns = consoleSignIns({ vault: openVault([key]), sessions, principals: principalsOf(snapshot), snapshot });
  function given(claims: SessionClaims) {
    const issued = sessions.issue(claims, randomBytes);
    assert.ok(issued.outcome === 'issued');
    const { accessKeyId, secretAccessKey, sessionToken } = issued.credentials;
    return { sessionId: accessKeyId, sessionKey: secretAccessKey, sessionToken };
  }
  function tokenOf(claims: SessionClaims, durationSeconds?: number) {
    const answer = signIns.signinToken(given(claims), durationSeconds, NOW, randomBytes);
    assert.ok(answer.outcome === 'issued', answer.outcome === 'refused' ? answer.why : '');
    return answer.signinToken;
  }
  return { ...signIns, given, tokenOf };
}

const DESK: SessionClaims = {
  kind: 'role',
  accountId: ACCOUNT,
  session: { issuedAt: NOW, expiresAt: later(3600), mfaAuthenticated: true, tags: { Team: 'blue' }, transitiveTagKeys: [], chained: false },
  roleId: 'AROAEXAMPLEEXAMPLEEXA',
  roleName: 'desk',
  sessionName: 'ada',
};
const desk = (session: Partial<SessionClaims['session']>): SessionClaims => ({ ...DESK, session: { ...DESK.session, ...session } });

test('signinToken: a sign-in has the facts of the original session, and is marked as from the console', () => {
  const { tokenOf, redeem, open } = rig();
  const begun = redeem(tokenOf(DESK), NOW, randomBytes);
  const signIn = begun && open(begun.cookie, NOW);
  assert.deepEqual(signIn, begun?.signIn);
  assert.deepEqual(signIn?.principal.session, { ...DESK.session, expiresAt: instant(1_795_317_900_000), fromConsole: true });
});

// biome-ignore format: a table
const TOKEN_TIMES: readonly (readonly [title: string, seconds: number, taken: boolean])[] = [
  ['used immediately',         0,   true ],
  ['used in its last second',  899, true ],
  ['used after 15 minutes',    900, false],
];

for (const [title, seconds, taken] of TOKEN_TIMES) {
  test(`redeem: a sign-in token that is ${title} is ${taken ? 'accepted' : 'rejected'}`, () => {
    const { tokenOf, redeem } = rig();
    assert.equal(redeem(tokenOf(DESK), later(seconds), randomBytes) !== undefined, taken);
  });
}

// biome-ignore format: a table
const ENDS: readonly (readonly [title: string, session: Partial<SessionClaims['session']>, asked: number | undefined, max: number, seconds: number])[] = [
  // end of the sign-in                         the session                           requested  role max  expected
  ['with the session',                          {},                                   undefined, 3600,    3600  ],
  ['with a chained session',                    { chained: true },                    undefined, 3600,    3600  ],
  ['earlier, if requested',                     {},                                   900,       3600,    900   ],
  ['later, if requested',                       {},                                   43_200,    43_200,  43_200],
  ['after twelve hours at most',                { expiresAt: later(36 * 3600) },      undefined, 43_200,  43_200],
  ['when MaxSessionDuration has passed',        { issuedAt: later(-3000) },           3600,      3600,    600   ],
  ['when a lowered MaxSessionDuration has passed', { issuedAt: later(-900) },         undefined, 1000,    100   ],
  ['with the session at the SAML provider',     { latestEnd: later(1800) },           43_200,    43_200,  1800  ],
];

for (const [title, session, asked, max, seconds] of ENDS) {
  test(`signinToken: the sign-in ends ${title}`, () => {
    const { tokenOf, redeem, open } = rig(max);
    const begun = redeem(tokenOf(desk(session), asked), NOW, randomBytes);
    const end = Math.floor(later(seconds) / 1000) * 1000;
    assert.ok(begun !== undefined);
    assert.equal(begun.signIn.credentials.expiration, end);
    assert.notEqual(open(begun.cookie, instant(end - 1)), undefined);
    assert.equal(open(begun.cookie, instant(end)), undefined);
  });
}

test('signinToken: an expired session is rejected, and the result contains the principal of the session', () => {
  const { signinToken, given } = rig();
  const answer = signinToken(given(DESK), undefined, later(3600), randomBytes);
  assert.ok(answer.outcome === 'refused');
  assert.deepEqual([answer.why, answer.principal?.accountId], ['The session has expired.', ACCOUNT]);
});

test('signinToken: a SessionDuration above the MaxSessionDuration of the role is rejected', () => {
  const { signinToken, given } = rig(3600);
  const answer = signinToken(given(DESK), 3601, NOW, randomBytes);
  assert.ok(answer.outcome === 'refused');
  assert.equal(answer.why, 'SessionDuration exceeds the MaxSessionDuration of the role, 3600 seconds.');
});

test('signinToken: a session whose role was deleted and created again is rejected', () => {
  const { signinToken, given } = rig();
  const answer = signinToken(given({ ...DESK, roleId: 'AROAANOTHERANOTHERANO' } as SessionClaims), undefined, NOW, randomBytes);
  assert.deepEqual([answer.outcome, answer.principal], ['refused', undefined]);
});

test('begin: the cookie of a session with the longest names is short enough for a browser', () => {
  const { signinToken, redeem } = rig();
  const sessions = newSessionTokens([Buffer.alloc(32, 7)]);
  const names = { sourceIdentity: 's'.repeat(64), federatedProvider: `arn:aws:iam::${ACCOUNT}:oidc-provider/${'p'.repeat(255)}` };
  const tags: Record<string, string> = {};
  let full = 0;
  for (let i = 0, fits = true; fits; i++) {
    const session = { ...DESK.session, ...names, tags };
    const issued = sessions.issue({ ...DESK, session, sessionName: 'n'.repeat(64) } as SessionClaims, randomBytes);
    fits = issued.outcome === 'issued';
    if (issued.outcome !== 'issued') break;
    full = issued.packedPolicyPercent ?? 0;
    const { accessKeyId: sessionId, secretAccessKey: sessionKey, sessionToken } = issued.credentials;
    const answer = signinToken({ sessionId, sessionKey, sessionToken }, undefined, NOW, randomBytes);
    assert.ok(answer.outcome === 'issued', answer.outcome === 'refused' ? answer.why : '');
    assert.ok((redeem(answer.signinToken, NOW, randomBytes)?.cookie.length ?? 5000) < 4000);
    tags[`key${i}`] = randomBytes(48).toString('base64');
  }
  assert.ok(full > 95, String(full));
});

test('open: a cookie of a server with another operator key is invalid', () => {
  const [here, there] = [rig(), rig(3600, Buffer.alloc(32, 8))];
  const token = here.tokenOf(DESK);
  const cookie = here.redeem(token, NOW, randomBytes)?.cookie as string;
  assert.notEqual(here.open(cookie, NOW), undefined);
  assert.equal(there.redeem(token, NOW, randomBytes), undefined);
  assert.equal(there.open(cookie, NOW), undefined);
});

test('open: a cookie with one flipped bit is invalid', () => {
  const { tokenOf, redeem, open } = rig();
  const bytes = Buffer.from(redeem(tokenOf(DESK), NOW, randomBytes)?.cookie ?? '', 'base64url');
  for (let i = 0; i < bytes.length; i++) {
    const changed = Buffer.from(bytes);
    changed[i] = (changed[i] as number) ^ 1;
    assert.equal(open(changed.toString('base64url'), NOW), undefined);
  }
});
