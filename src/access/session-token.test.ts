import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { accountOfAccessKeyId } from '#core/access-key-id.ts';
import type { AccountId, Arn } from '#core/arn.ts';
import { SESSION_KEYS_MAX_BYTES } from '#core/federation.ts';
import { instant } from '#core/instant.ts';
import type { SessionFacts } from '#core/principal.ts';
import type { SessionClaims } from '#core/session-issuer.ts';
import { newSessionTokens } from './session-token.ts';

const KEY = Buffer.alloc(32, 7);
const ACCOUNT = '012345678901' as AccountId;

const SESSION: SessionFacts = {
  issuedAt: instant(1_795_314_300_123),
  expiresAt: instant(1_795_317_900_000),
  mfaAuthenticated: false,
  tags: {},
  transitiveTagKeys: [],
  chained: false,
};

const ROLE: SessionClaims = {
  kind: 'role',
  accountId: ACCOUNT,
  session: SESSION,
  roleId: 'AROAEXAMPLEEXAMPLEEXA',
  roleName: 'r'.repeat(64),
  sessionName: 's'.repeat(64),
};

const FACTS: SessionFacts = {
  ...SESSION,
  mfaAuthenticated: true,
  chained: true,
  sourceIdentity: 'alice',
  federatedProvider: `arn:aws:iam::${ACCOUNT}:oidc-provider/${'long.'.repeat(40)}example`,
  tags: { uid: 'u-1', Team: 'blue ü', ['__proto__']: 'x' },
  transitiveTagKeys: ['Team'],
  sessionPolicy: '{"Version":"2012-10-17","Statement":[]}',
  sessionPolicyArns: ['arn:aws:iam::aws:policy/ReadOnlyAccess' as Arn],
};

function issued(claims: SessionClaims, tokens = newSessionTokens([KEY])) {
  const answer = tokens.issue(claims, randomBytes);
  assert.ok(answer.outcome === 'issued');
  return answer;
}

/** Facts about a session that has condition keys from an identity provider's token. */
const OF_PROVIDER: SessionFacts = {
  ...FACTS,
  federatedContext: new Map<string, string | readonly string[]>([
    [`${'long.'.repeat(40)}example:sub`, 'user-1'],
    [`${'long.'.repeat(40)}example:amr`, ['pwd', 'otp']],
    ['saml:sub', 'ada'],
  ]),
  latestEnd: instant(1_795_316_000_000),
};

// biome-ignore format: a table
const CLAIMS: readonly [name: string, claims: SessionClaims][] = [
  ['a role session',               ROLE],
  ['a session with all facts',     { ...ROLE, session: FACTS }],
  ['a session of a web identity',  { ...ROLE, session: OF_PROVIDER }],
  ["a user's session",             { kind: 'user', accountId: ACCOUNT, session: { ...SESSION, mfaAuthenticated: true }, userId: 'AIDAEXAMPLEEXAMPLEEXA' }],
  ["a user's console session",     { kind: 'user', accountId: ACCOUNT, session: { ...SESSION, fromConsole: true }, userId: 'AIDAEXAMPLEEXAMPLEEXA' }],
  ["the root's session",           { kind: 'root', accountId: ACCOUNT, session: SESSION }],
  ["a user's federated user",      { kind: 'federated', accountId: ACCOUNT, session: FACTS, federatedName: 'bob', issuerId: 'AIDAEXAMPLEEXAMPLEEXA' }],
  ["the root's federated user",    { kind: 'federated', accountId: ACCOUNT, session: SESSION, federatedName: 'bob', issuerId: ACCOUNT }],
];

for (const [name, claims] of CLAIMS) {
  test(`session tokens: opening the token of ${name} returns the issued claims and secret`, () => {
    const { credentials } = issued(claims);
    const opened = newSessionTokens([KEY]).open(credentials.accessKeyId, credentials.sessionToken);
    assert.deepEqual(opened?.claims, claims);
    assert.equal(opened?.secretAccessKey, credentials.secretAccessKey);
    assert.equal(credentials.expiration, claims.session.expiresAt);
  });
}

test('session tokens: a token with the longest names has at most 300 characters', () => {
  const { credentials } = issued(ROLE);
  assert.ok(credentials.sessionToken.length <= 300, `${credentials.sessionToken.length}`);
});

test('session tokens: a token with the longest names, condition keys and policies can be opened', () => {
  const session: SessionFacts = {
    ...SESSION,
    sourceIdentity: 'i'.repeat(64),
    federatedProvider: `arn:aws:iam::${ACCOUNT}:oidc-provider/${'p'.repeat(255)}`,
    federatedContext: new Map([['saml:sub', 'x'.repeat(SESSION_KEYS_MAX_BYTES - '[["saml:sub",""]]'.length)]]),
    sessionPolicy: randomBytes(1450).toString('base64'),
    latestEnd: SESSION.expiresAt,
  };
  const claims: SessionClaims = { ...ROLE, session };
  const { credentials, packedPolicyPercent } = issued(claims);
  assert.ok((packedPolicyPercent as number) > 70, `${packedPolicyPercent}`);
  assert.deepEqual(newSessionTokens([KEY]).open(credentials.accessKeyId, credentials.sessionToken)?.claims, claims);
});

/**
 * Token in the earlier format, which had no condition keys from an identity provider's token. Encrypted with the
 * operator key of these tests.
 */
const EARLIER = {
  accessKeyId: 'ASIAQFX64DQ2XK3RFD74',
  sessionToken:
    'AbgixByZprV5WqE1r6vTqd6WPy76xm1ocUrYQihfn8oca_lSFuKbwSVWtNE6dwOOMOUaCI8q7HulAj4dWjvEG-XeOjc5P8eZ0xeUbdYTcBFRgp0dSIsVML6x93itpbQ4p4jQMxspoydHnCjJjtiJaOQKiLpdp-I2LHNH8n53dRJa_RcNUZiB_tLSK5ZAgVT4vizdkxblrCJOf6QBZqy6smDWFU_dZp4rzAg0HfwUNbsRtLo',
};

test('session tokens: a token in the earlier format, without condition keys of a provider, can be opened', () => {
  const opened = newSessionTokens([KEY]).open(EARLIER.accessKeyId, EARLIER.sessionToken);
  assert.deepEqual(opened?.claims, {
    ...ROLE,
    roleName: 'desk',
    sessionName: 'ada',
    session: {
      ...SESSION,
      federatedProvider: `arn:aws:iam::${ACCOUNT}:oidc-provider/idp.example`,
      tags: { Team: 'blue' },
      transitiveTagKeys: ['Team'],
    },
  });
});

test('session tokens: credentials have the same format as in AWS', () => {
  const { credentials } = issued(ROLE);
  assert.match(credentials.accessKeyId, /^ASIA[A-Z2-7]{16}$/);
  assert.match(credentials.secretAccessKey, /^[A-Za-z0-9+/]{40}$/);
  assert.equal(accountOfAccessKeyId(credentials.accessKeyId), ACCOUNT);
});

test('session tokens: two sessions of one role have different key IDs, secrets and tokens', () => {
  const tokens = newSessionTokens([KEY]);
  const [a, b] = [issued(ROLE, tokens).credentials, issued(ROLE, tokens).credentials];
  assert.notEqual(a.accessKeyId, b.accessKeyId);
  assert.notEqual(a.secretAccessKey, b.secretAccessKey);
  assert.notEqual(a.sessionToken, b.sessionToken);
});

test('session tokens: a token can be opened only with its access key ID, even if it is cached', () => {
  const tokens = newSessionTokens([KEY]);
  const [a, b] = [issued(ROLE, tokens).credentials, issued(ROLE, tokens).credentials];
  assert.equal(tokens.open(b.accessKeyId, a.sessionToken), undefined);
  assert.ok(tokens.open(a.accessKeyId, a.sessionToken));
  assert.equal(tokens.open(b.accessKeyId, a.sessionToken), undefined);
});

test('session tokens: opening a token requires its operator key, which need not be the newest key', () => {
  const { credentials } = issued(ROLE);
  const open = (...keys: Buffer[]) => newSessionTokens(keys).open(credentials.accessKeyId, credentials.sessionToken);
  assert.equal(open(Buffer.alloc(32, 8)), undefined);
  assert.equal(open(Buffer.alloc(32, 8), KEY)?.secretAccessKey, credentials.secretAccessKey);
});

test('session tokens: a token with one altered character is invalid', () => {
  const { credentials } = issued(ROLE);
  const tokens = newSessionTokens([KEY]);
  const { accessKeyId, sessionToken } = credentials;
  for (let i = 0; i < sessionToken.length; i++) {
    const altered = `${sessionToken.slice(0, i)}${sessionToken[i] === 'A' ? 'B' : 'A'}${sessionToken.slice(i + 1)}`;
    assert.equal(tokens.open(accessKeyId, altered), undefined);
  }
  for (const altered of [`${sessionToken}=`, ` ${sessionToken}`, `${sessionToken}A`, sessionToken.slice(1), '', 'A'.repeat(100_000)]) {
    assert.equal(tokens.open(accessKeyId, altered), undefined);
  }
});

test('session tokens: the cache has a limit, and an evicted token can be opened again', () => {
  const tokens = newSessionTokens([KEY], 1);
  const [a, b] = [issued(ROLE, tokens).credentials, issued(ROLE, tokens).credentials];
  const first = tokens.open(a.accessKeyId, a.sessionToken);
  assert.equal(tokens.open(a.accessKeyId, a.sessionToken), first);
  assert.ok(tokens.open(b.accessKeyId, b.sessionToken));
  const again = tokens.open(a.accessKeyId, a.sessionToken);
  assert.notEqual(again, first);
  assert.deepEqual(again, first);
});

test('session tokens: PackedPolicySize grows with policies and tags, and above 100 % no session is issued', () => {
  const session = (sessionPolicy: string): SessionClaims => ({ ...ROLE, session: { ...SESSION, sessionPolicy } });
  assert.equal(issued(ROLE).packedPolicyPercent, undefined);
  const small = issued(session('{"Version":"2012-10-17","Statement":[]}')).packedPolicyPercent as number;
  assert.ok(small >= 1 && small <= 5, `${small}`);
  const random = randomBytes(3000).toString('base64');
  const answer = newSessionTokens([KEY]).issue(session(random), randomBytes);
  assert.equal(answer.outcome, 'too-large');
  assert.ok((answer.packedPolicyPercent as number) > 100);
});

test('session tokens: an opened token has the issued claims, for arbitrary strings in the claims', () => {
  const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(
      fc.dictionary(text, text, { maxKeys: 5 }),
      text,
      fc.option(text, { nil: undefined }),
      (tags, sessionName, sessionPolicy) => {
        const claims: SessionClaims = {
          ...ROLE,
          sessionName,
          session: { ...SESSION, tags: { ...tags }, ...(sessionPolicy !== undefined && { sessionPolicy }) },
        };
        const { credentials } = issued(claims);
        assert.deepEqual(newSessionTokens([KEY]).open(credentials.accessKeyId, credentials.sessionToken)?.claims, claims);
      },
    ),
  );
});
