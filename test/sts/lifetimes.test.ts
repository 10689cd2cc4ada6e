/** Lifetimes of sessions, sessions of the root user, and MFA. Tests the operations without a server, with a fixed clock. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { authorizationMessages } from '#access/authorization-message.ts';
import { newSessionTokens } from '#access/session-token.ts';
import { openVault } from '#access/vault.ts';
import { type Arn, arn } from '#core/arn.ts';
import { fromBase32, toBase32 } from '#core/base32.ts';
import { instant } from '#core/instant.ts';
import type { Principal } from '#core/principal.ts';
import type { StsApi } from '#model/generated/sts.ts';
import { codeAt, mfaVerifier, stepAt } from '#services/iam/mfa.ts';
import { ACCOUNT, accessOf, callerOf, callOf, OTHER_ACCOUNT, rootOf } from '#services/kit/fixture.ts';
import type { StsDeps } from '#services/sts/deps.ts';
import { stsOperations } from '#services/sts/operations.ts';
import { openSqlite } from '#store/engine/sqlite.ts';

const NOW = instant(Date.UTC(2026, 10, 22, 2, 25, 0, 700));
const KEYS = [Buffer.alloc(32, 7)];
const sessions = newSessionTokens(KEYS);
const messages = authorizationMessages(KEYS);
const store = await openSqlite(':memory:');

const ROOT = rootOf(ACCOUNT);
const USER: Principal = {
  type: 'IAMUser',
  accountId: ACCOUNT,
  arn: arn('iam', '', ACCOUNT, 'user/alice'),
  principalId: 'AIDAALICE',
  userName: 'alice',
};

function run<Name extends keyof StsApi>(name: Name, input: StsApi[Name]['input'], principal: Principal, deps: Partial<StsDeps> = {}) {
  const operation = stsOperations({ sessions, openMessage: messages.open, ...deps })[name];
  return store.transaction(async (tx) => {
    operation.access(input as never, callerOf({ principal }));
    return (await operation.handle(callOf(tx, { principal, now: NOW }), input as never)) as StsApi[Name]['output'];
  });
}

// biome-ignore format: a table
const ENDS: readonly [operation: 'GetSessionToken' | 'GetFederationToken', principal: Principal, asked: number | undefined, seconds: number][] = [
  // operation             caller asked      lasts
  ['GetSessionToken',      USER,  undefined,  43_200],
  ['GetSessionToken',      USER,  129_600,   129_600],
  ['GetSessionToken',      ROOT,  undefined,   3_600],
  ['GetSessionToken',      ROOT,  129_600,     3_600],
  ['GetSessionToken',      ROOT,  900,           900],
  ['GetFederationToken',   USER,  undefined,  43_200],
  ['GetFederationToken',   ROOT,  undefined,   3_600],
];

for (const [operation, principal, asked, seconds] of ENDS) {
  test(`${operation}: for ${principal.type}, DurationSeconds ${asked ?? 'none'} gives a session of ${seconds} seconds`, async () => {
    const input = { ...(operation === 'GetFederationToken' && { Name: 'bob' }), ...(asked !== undefined && { DurationSeconds: asked }) };
    const { Credentials } = await run(operation, input as never, principal);
    assert.equal(Credentials?.Expiration, NOW - 700 + seconds * 1000);
  });
}

function claimsOf(credentials: StsApi['GetSessionToken']['output']['Credentials']) {
  return sessions.open(credentials?.AccessKeyId as string, credentials?.SessionToken as string)?.claims;
}

test('GetSessionToken: a session of the root user is of the type Root', async () => {
  const { Credentials } = await run('GetSessionToken', {}, ROOT);
  assert.equal(claimsOf(Credentials)?.kind, 'root');
  assert.equal(claimsOf(Credentials)?.session.mfaAuthenticated, false);
});

test('GetSessionToken: with a valid MFA code, the session has multi-factor authentication', async () => {
  const verifyMfa = async (_call: unknown, serialNumber: string, code: string) =>
    serialNumber.endsWith('mfa/alice') && code === '123456' ? { right: true as const } : { right: false as const, count: async () => {} };
  const SerialNumber = `arn:aws:iam::${ACCOUNT}:mfa/alice`;
  const { Credentials } = await run('GetSessionToken', { SerialNumber, TokenCode: '123456' }, USER, { verifyMfa });
  assert.equal(claimsOf(Credentials)?.session.mfaAuthenticated, true);
  const wrong = { code: 'AccessDenied', message: 'MultiFactorAuthentication failed with invalid MFA one time pass code. ' };
  await assert.rejects(run('GetSessionToken', { SerialNumber, TokenCode: '000000' }, USER, { verifyMfa }), wrong);
  await assert.rejects(run('GetSessionToken', { SerialNumber }, USER, { verifyMfa }), {
    code: 'AccessDenied',
    message: /unable to validate MFA code/,
  });
});

test('AssumeRole: the trust policy is evaluated with MFA before the code is consumed', async () => {
  const vault = openVault(KEYS);
  const serialNumber = arn('iam', '', ACCOUNT, 'mfa/alice');
  const seed = toBase32(Buffer.alloc(20, 3));
  const device = { accountId: ACCOUNT, serialNumber, sealedSeed: vault.seal(seed, serialNumber), createdAt: NOW, enabledAt: NOW, tags: [] };
  const RoleArn = arn('iam', '', ACCOUNT, 'role/guarded');
  await store.transaction(async (tx) => {
    await tx.identity.put(ACCOUNT, 'mfa-device', serialNumber.toLowerCase(), { ...device, owner: { type: 'IAMUser', userName: 'alice' } });
    await tx.identity.put(ACCOUNT, 'role', 'guarded', {
      accountId: ACCOUNT,
      arn: RoleArn,
      path: '/',
      createdAt: NOW,
      roleName: 'guarded',
      roleId: 'AROAGUARDED',
      trustPolicy: '{}',
      maxSessionSeconds: 3600,
      tags: [],
      attachedPolicyArns: [],
      inlinePolicies: {},
    });
  });
  const deps = { verifyMfa: mfaVerifier(vault) };
  const input = { RoleArn, RoleSessionName: 'me', SerialNumber: serialNumber, TokenCode: codeAt(fromBase32(seed), stepAt(NOW)) };
  const [access] = accessOf(stsOperations({ sessions, ...deps }), 'AssumeRole', input, { principal: USER });
  const context = await store.transaction(async (tx) => await access?.resolveContext?.(tx, NOW));
  assert.deepEqual(
    [...(context ?? [])],
    [
      ['aws:multifactorauthpresent', 'true'],
      ['aws:multifactorauthage', '0'],
    ],
  );

  assert.equal(claimsOf((await run('AssumeRole', input, USER, deps)).Credentials)?.session.mfaAuthenticated, true);
  const used = { code: 'AccessDenied', message: 'MultiFactorAuthentication failed with invalid MFA one time pass code. ' };
  await assert.rejects(run('AssumeRole', input, USER, deps), used);
  await assert.rejects(
    store.transaction(async (tx) => await access?.resolveContext?.(tx, NOW)),
    used,
  );
});

test("GetFederationToken: the session ID has the caller's unique ID, or the account ID for the root user", async () => {
  const ofUser = claimsOf((await run('GetFederationToken', { Name: 'bob' }, USER)).Credentials);
  assert.ok(ofUser?.kind === 'federated');
  assert.deepEqual([ofUser.issuerId, ofUser.federatedName], ['AIDAALICE', 'bob']);
  const ofRoot = claimsOf((await run('GetFederationToken', { Name: 'bob' }, ROOT)).Credentials);
  assert.ok(ofRoot?.kind === 'federated');
  assert.equal(ofRoot.issuerId, ACCOUNT);
});

test('AssumeRole: a role that is deleted after authorization is AccessDenied, like an unknown role', async () => {
  const RoleArn = arn('iam', '', ACCOUNT, 'role/gone') as Arn;
  await assert.rejects(run('AssumeRole', { RoleArn, RoleSessionName: 'me' }, USER), {
    code: 'AccessDenied',
    message: `User: ${USER.arn} is not authorized to perform: sts:AssumeRole on resource: ${RoleArn}`,
  });
});

test("DecodeAuthorizationMessage: a message of the caller's account is decoded, and any other is an error", async () => {
  const reasons = '{"allowed":false,"explicitDeny":true}';
  assert.deepEqual(await run('DecodeAuthorizationMessage', { EncodedMessage: messages.encode(reasons, ACCOUNT) }, USER), {
    DecodedMessage: reasons,
  });
  const others = messages.encode(reasons, OTHER_ACCOUNT);
  await assert.rejects(run('DecodeAuthorizationMessage', { EncodedMessage: others }, USER), {
    code: 'InvalidAuthorizationMessageException',
  });
});

test('STS: an unimplemented operation is NotYetImplemented', async () => {
  await assert.rejects(run('AssumeRoot', { TargetPrincipal: ACCOUNT, TaskPolicyArn: {} }, ROOT), { code: 'NotYetImplementedException' });
});
