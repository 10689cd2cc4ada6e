import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inflateSync } from 'node:zlib';
import jsQR from 'jsqr';
import { fromBase32 } from '#core/base32.ts';
import { type Instant, instant } from '#core/instant.ts';
import { codeAt, mfaVerifier, stepAt } from '#services/iam/mfa.ts';
import { hashPassword, isPassword } from '#services/iam/password-hash.ts';
import { qrCodePng } from '#services/iam/qr-code.ts';
import { ACCOUNT, callOf, iamUser, openIam, ROLE_SESSION, ROOT, START } from './fixture.ts';

const GOOD = 'Correct-Horse-7';
const ADA = { principal: iamUser('ada') };

async function withUsers() {
  const iam = await openIam();
  for (const UserName of ['ada', 'bob']) await iam.run('CreateUser', { UserName });
  await iam.run('CreateLoginProfile', { UserName: 'ada', Password: GOOD });
  return iam;
}

test('hashPassword: the same password in another Unicode form matches, and another password does not', async () => {
  const hash = await hashPassword('Ångström-7', new Uint8Array(16));
  assert.match(hash, /^scrypt\$15\$8\$1\$/);
  assert.equal(await isPassword(hash, 'Ångström-7'), true);
  assert.equal(await isPassword(hash, 'Angstrom-7'), false);
});

test('Login profile: the password is stored as a hash, and the profile can be read, changed and deleted', async () => {
  const { run, identityState } = await withUsers();
  assert.equal((await identityState()).includes(GOOD), false);
  assert.deepEqual((await run('GetLoginProfile', { UserName: 'ada' })).LoginProfile, {
    UserName: 'ada',
    CreateDate: START,
    PasswordResetRequired: false,
  });
  await run('UpdateLoginProfile', { UserName: 'ada', PasswordResetRequired: true });
  assert.equal((await run('GetLoginProfile', { UserName: 'ada' })).LoginProfile.PasswordResetRequired, true);
  await run('ChangePassword', { OldPassword: GOOD, NewPassword: 'Another-Horse-8' }, ADA);
  assert.equal((await run('GetLoginProfile', { UserName: 'ada' })).LoginProfile.PasswordResetRequired, false);
  await run('DeleteLoginProfile', { UserName: 'ada' });
  await assert.rejects(run('GetLoginProfile', { UserName: 'ada' }), {
    code: 'NoSuchEntityException',
    message: 'Login Profile for User ada cannot be found.',
  });
  await assert.rejects(run('DeleteLoginProfile', { UserName: 'ada' }), {
    code: 'NoSuchEntityException',
    message: 'Login Profile for User ada cannot be found.',
  });
});

test('CreateLoginProfile: a second login profile is EntityAlreadyExists', async () => {
  const { run } = await withUsers();
  await assert.rejects(run('CreateLoginProfile', { UserName: 'ada', Password: GOOD }), {
    code: 'EntityAlreadyExistsException',
    message: 'Login Profile for user ada already exists.',
  });
});

test('Login profiles: passwords are hashed outside the transaction, and only after all other checks', async () => {
  const { run, offloadCount } = await withUsers();
  const hashed = async (call: Promise<unknown>) => {
    const before = offloadCount();
    await call.catch(() => {});
    return offloadCount() - before;
  };
  assert.equal(await hashed(run('CreateLoginProfile', { UserName: 'absent', Password: GOOD })), 0);
  assert.equal(await hashed(run('CreateLoginProfile', { UserName: 'ada', Password: GOOD })), 0);
  assert.equal(await hashed(run('CreateLoginProfile', { UserName: 'bob', Password: 'short' })), 0);
  assert.equal(await hashed(run('CreateLoginProfile', { UserName: 'bob', Password: GOOD })), 1);
  assert.equal(await hashed(run('UpdateLoginProfile', { UserName: 'bob', PasswordResetRequired: true })), 0);
  assert.equal(await hashed(run('UpdateLoginProfile', { UserName: 'bob', Password: 'short' })), 0);
  assert.equal(await hashed(run('UpdateLoginProfile', { UserName: 'bob', Password: 'Another-Horse-8' })), 1);
  assert.equal(await hashed(run('ChangePassword', { OldPassword: 'Wrong-Horse-7', NewPassword: 'Third-Horse-9' }, ADA)), 1);
  assert.equal(await hashed(run('ChangePassword', { OldPassword: GOOD, NewPassword: 'Third-Horse-9' }, ADA)), 2);
});

// biome-ignore format: a table
const VIOLATIONS: readonly (readonly [password: string, policy: object | undefined, message: string])[] = [
  ['Short-7',    undefined,                                                 'Password should have a minimum length of 8'],
  ['lowercase7', undefined,                                                 'Password does not conform to the account password policy.'],
  ['Long-Enough-7', { MinimumPasswordLength: 14 },                          'Password should have a minimum length of 14'],
  ['lowercase',  { RequireUppercaseCharacters: true, RequireNumbers: true }, 'Password should have at least one uppercase letter'],
  ['UPPERCASE',  { RequireLowercaseCharacters: true },                      'Password should have at least one lowercase letter'],
  ['NoNumber',   { RequireNumbers: true },                                  'Password should have at least one number'],
  ['NoSymbol7',  { RequireSymbols: true },                                  'Password should have at least one symbol'],
];

for (const [password, policy, message] of VIOLATIONS) {
  test(`CreateLoginProfile: ${password} under ${policy === undefined ? 'no policy' : JSON.stringify(policy)} is PasswordPolicyViolation`, async () => {
    const { run } = await withUsers();
    if (policy !== undefined) await run('UpdateAccountPasswordPolicy', policy);
    await assert.rejects(run('CreateLoginProfile', { UserName: 'bob', Password: password }), {
      code: 'PasswordPolicyViolationException',
      message,
    });
  });
}

test('ChangePassword: reuse of the current or the previous password is PasswordPolicyViolationException', async () => {
  const { run } = await withUsers();
  await run('UpdateAccountPasswordPolicy', { PasswordReusePrevention: 2 });
  const change = (OldPassword: string, NewPassword: string) => run('ChangePassword', { OldPassword, NewPassword }, ADA);
  await assert.rejects(change(GOOD, GOOD), { code: 'PasswordPolicyViolationException' });
  await change(GOOD, 'Second-Horse-8');
  await assert.rejects(change('Second-Horse-8', GOOD), { code: 'PasswordPolicyViolationException' });
  await change('Second-Horse-8', 'Third-Horse-9');
  await change('Third-Horse-9', GOOD);
});

test('ChangePassword: a wrong old password is AccessDenied and changes nothing', async () => {
  const { run, identityState } = await withUsers();
  const before = await identityState();
  await assert.rejects(run('ChangePassword', { OldPassword: 'Wrong-Horse-7', NewPassword: 'Other-Horse-8' }, ADA), {
    code: 'AccessDenied',
  });
  assert.equal(await identityState(), before);
});

for (const [title, principal] of [
  ['the root user', ROOT],
  ['a role', ROLE_SESSION],
] as const) {
  test(`ChangePassword: ${title} is InvalidUserType`, async () => {
    const { run } = await withUsers();
    await assert.rejects(async () => run('ChangePassword', { OldPassword: GOOD, NewPassword: 'Other-Horse-8' }, { principal }), {
      code: 'InvalidUserTypeException',
    });
  });
}

test('UpdateAccountPasswordPolicy: absent members get their defaults, and a deleted policy is NoSuchEntity', async () => {
  const { run } = await openIam();
  const notFound = { code: 'NoSuchEntityException', message: `The Password Policy with domain name ${ACCOUNT} cannot be found.` };
  await assert.rejects(run('GetAccountPasswordPolicy', {}), notFound);
  await assert.rejects(run('DeleteAccountPasswordPolicy', {}), notFound);
  await run('UpdateAccountPasswordPolicy', { RequireNumbers: true, MaxPasswordAge: 90 });
  await run('UpdateAccountPasswordPolicy', { MinimumPasswordLength: 12, MaxPasswordAge: 30 });
  assert.deepEqual((await run('GetAccountPasswordPolicy', {})).PasswordPolicy, {
    MinimumPasswordLength: 12,
    RequireSymbols: false,
    RequireNumbers: false,
    RequireUppercaseCharacters: false,
    RequireLowercaseCharacters: false,
    AllowUsersToChangePassword: false,
    ExpirePasswords: true,
    MaxPasswordAge: 30,
  });
  await run('DeleteAccountPasswordPolicy', {});
  await assert.rejects(run('GetAccountPasswordPolicy', {}), notFound);
});

/** Creates an MFA device for the user ada. Returns a function that computes the codes of the device. */
async function withDevice() {
  const iam = await withUsers();
  const { VirtualMFADevice } = await iam.run('CreateVirtualMFADevice', { VirtualMFADeviceName: 'phone' });
  const seed = fromBase32(Buffer.from(VirtualMFADevice.Base32StringSeed ?? []).toString());
  const code = (now: Instant, steps = 0): string => codeAt(seed, stepAt(now) + steps);
  const pair = (now: Instant) => ({ AuthenticationCode1: code(now, -1), AuthenticationCode2: code(now) });
  return { ...iam, device: VirtualMFADevice, code, pair };
}

const PHONE = `arn:aws:iam::${ACCOUNT}:mfa/phone`;

test('CreateVirtualMFADevice: seed and QR code are returned once and stored encrypted', async () => {
  const { run, identityState, device } = await withDevice();
  assert.equal(device.SerialNumber, PHONE);
  const seed = Buffer.from(device.Base32StringSeed ?? []).toString();
  assert.match(seed, /^[A-Z2-7]{64}$/);
  assert.deepEqual([...(device.QRCodePNG ?? []).slice(1, 4)], [...Buffer.from('PNG')]);
  assert.equal((await identityState()).includes(seed), false);
  assert.deepEqual((await run('ListVirtualMFADevices', {})).VirtualMFADevices, [{ SerialNumber: PHONE }]);
  await assert.rejects(run('CreateVirtualMFADevice', { VirtualMFADeviceName: 'Phone' }), {
    code: 'EntityAlreadyExistsException',
    message: 'MFADevice entity at the same path and name already exists.',
  });
});

test('EnableMFADevice: two consecutive codes enable a device, which can be deactivated and deleted', async () => {
  const { run, pair } = await withDevice();
  await assert.rejects(
    run('EnableMFADevice', { UserName: 'ada', SerialNumber: PHONE, AuthenticationCode1: '000000', AuthenticationCode2: '000000' }),
    {
      code: 'InvalidAuthenticationCodeException',
      message: 'Authentication code for device is not valid.',
    },
  );
  await run('EnableMFADevice', { UserName: 'ada', SerialNumber: PHONE, ...pair(START) });
  await assert.rejects(run('EnableMFADevice', { UserName: 'bob', SerialNumber: PHONE, ...pair(START) }), {
    code: 'EntityAlreadyExistsException',
  });
  assert.deepEqual((await run('ListMFADevices', {}, ADA)).MFADevices, [{ UserName: 'ada', SerialNumber: PHONE, EnableDate: START }]);
  assert.equal((await run('ListVirtualMFADevices', { AssignmentStatus: 'Assigned' })).VirtualMFADevices[0]?.User?.UserName, 'ada');
  assert.deepEqual((await run('ListVirtualMFADevices', { AssignmentStatus: 'Unassigned' })).VirtualMFADevices, []);
  await assert.rejects(run('DeleteVirtualMFADevice', { SerialNumber: PHONE }), {
    code: 'DeleteConflictException',
    message: 'MFA VirtualDevice in use. Must deactivate first.',
  });
  await assert.rejects(run('DeactivateMFADevice', { UserName: 'bob', SerialNumber: PHONE }), { code: 'NoSuchEntityException' });
  await run('DeactivateMFADevice', { UserName: 'ada', SerialNumber: PHONE });
  await run('DeleteVirtualMFADevice', { SerialNumber: PHONE });
  await assert.rejects(run('DeleteVirtualMFADevice', { SerialNumber: PHONE }), {
    code: 'NoSuchEntityException',
    message: `VirtualMFADevice with serial number ${PHONE} does not exist.`,
  });
});

test('DeleteUser: a user with an MFA device is DeleteConflict', async () => {
  const { run, pair } = await withDevice();
  await run('EnableMFADevice', { UserName: 'bob', SerialNumber: PHONE, ...pair(START) });
  await assert.rejects(run('DeleteUser', { UserName: 'bob' }), {
    code: 'DeleteConflictException',
    message: 'Cannot delete entity, must delete MFA device first.',
  });
});

test("mfaVerifier: a code is accepted once, only from the device's owner, even after the owner is renamed", async () => {
  const { run, store, vault, pair, code } = await withDevice();
  await run('EnableMFADevice', { UserName: 'ada', SerialNumber: PHONE, ...pair(START) });
  await run('UpdateUser', { UserName: 'ada', NewUserName: 'grace' });
  const later = instant(START + 60_000);
  const verify = (userName: string, tokenCode: string) =>
    store.transaction(async (tx) => {
      const shown = await mfaVerifier(vault)(callOf(tx, { principal: iamUser(userName), now: later }), PHONE, tokenCode);
      return shown.right;
    });
  assert.equal(await verify('bob', code(later)), false);
  assert.equal(await verify('grace', '000000'), false);
  assert.equal(await verify('grace', code(later)), true);
  assert.equal(await verify('grace', code(later)), false);
});

/** Creates an enabled MFA device of the user ada, and a verifier that counts wrong codes as the server does. */
async function withVerifier() {
  const iam = await withDevice();
  await iam.run('EnableMFADevice', { UserName: 'ada', SerialNumber: PHONE, ...iam.pair(START) });
  const verify = mfaVerifier(iam.vault);
  const show = (tokenCode: string, now: Instant) => iam.store.transaction((tx) => verify(callOf(tx, { ...ADA, now }), PHONE, tokenCode));
  const showAndCount = async (tokenCode: string, now: Instant) => {
    const shown = await show(tokenCode, now);
    if (!shown.right) await iam.store.transaction(shown.count);
    return shown.right;
  };
  return { ...iam, show, showAndCount, at: (seconds: number) => instant(START + 60_000 + seconds * 1000) };
}

test('mfaVerifier: five wrong codes lock the device, and each further wrong code locks it for longer', async () => {
  const { showAndCount, code, at, store, vault } = await withVerifier();
  for (let i = 0; i < 5; i++) assert.equal(await showAndCount('000000', at(0)), false);
  assert.equal(await showAndCount(code(at(0)), at(0)), false);
  assert.equal(await showAndCount(code(at(29)), at(29)), false);
  const restarted = mfaVerifier(vault);
  const again = await store.transaction((tx) => restarted(callOf(tx, { ...ADA, now: at(29) }), PHONE, code(at(29))));
  assert.equal(again.right, false);
  assert.equal(await showAndCount('000000', at(30)), false);
  assert.equal(await showAndCount(code(at(89)), at(89)), false);
  assert.equal(await showAndCount(code(at(90)), at(90)), true);
  assert.equal(await showAndCount('000000', at(91)), false);
  assert.equal(await showAndCount(code(at(120)), at(120)), true);
});

test('mfaVerifier: concurrent wrong codes lock the device for a minute, even before their count commits', async () => {
  const { show, code, at } = await withVerifier();
  const shown = await Promise.all(Array.from({ length: 50 }, () => show('000000', at(0))));
  assert.equal(shown.filter(({ right }) => right).length, 0);
  assert.equal((await show(code(at(1)), at(1))).right, false);
  assert.equal((await show(code(at(61)), at(61))).right, true);
});

test('ResyncMFADevice: two correct codes unlock the device', async () => {
  const { run, showAndCount, code, at, pair } = await withVerifier();
  for (let i = 0; i < 5; i++) await showAndCount('000000', at(0));
  await run('ResyncMFADevice', { UserName: 'ada', SerialNumber: PHONE, ...pair(at(0)) });
  assert.equal(await showAndCount(code(at(25), 1), at(25)), true);
});

test('ResyncMFADevice: a device with a wrong clock is accepted again', async () => {
  const { run, store, vault, pair, code } = await withDevice();
  await run('EnableMFADevice', { UserName: 'ada', SerialNumber: PHONE, ...pair(START) });
  const ahead = instant(START + 600_000);
  await run('ResyncMFADevice', { UserName: 'ada', SerialNumber: PHONE, ...pair(ahead) });
  const later = instant(START + 60_000);
  const taken = await store.transaction((tx) => mfaVerifier(vault)(callOf(tx, { ...ADA, now: later }), PHONE, code(later, 20)));
  assert.equal(taken.right, true);
});

test('EnableMFADevice: the UserName of the root user is the account ID, and the summary counts the device', async () => {
  const { run, store, pair } = await withDevice();
  await store.transaction((tx) => tx.identity.put(ACCOUNT, 'account', ACCOUNT, { accountId: ACCOUNT, name: 'tower', createdAt: START }));
  await run('EnableMFADevice', { UserName: ACCOUNT, SerialNumber: PHONE, ...pair(START) });
  assert.equal((await run('GetAccountSummary', {})).SummaryMap?.AccountMFAEnabled, 1);
  assert.equal((await run('ListMFADevices', {})).MFADevices.length, 1);
});

test('CreateVirtualMFADevice: a QR code reader reads the seed from QRCodePNG', () => {
  const uri = `otpauth://totp/Amazon%20Web%20Services:ada@${ACCOUNT}?secret=${'A'.repeat(64)}`;
  const { pixels, side } = readPng(Buffer.from(qrCodePng(uri)));
  assert.equal(decodeQr(pixels, side, side)?.data, uri);
});

/** Function of the package `jsqr`. In Node, the default import is the function, but the package's types describe a module. */
const decodeQr = jsQR as unknown as typeof jsQR.default;

/** Decodes a PNG to RGBA pixels. Supports only 1-bit grayscale with one IDAT chunk and unfiltered rows. */
function readPng(png: Buffer): { readonly pixels: Uint8ClampedArray; readonly side: number } {
  const side = png.readUInt32BE(16);
  const idat = png.indexOf('IDAT');
  const rows = inflateSync(png.subarray(idat + 4, idat + 4 + png.readUInt32BE(idat - 4)));
  const rowBytes = Math.ceil(side / 8) + 1;
  const pixels = new Uint8ClampedArray(side * side * 4).fill(255);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const light = ((rows[y * rowBytes + 1 + (x >> 3)] as number) >> (7 - (x & 7))) & 1;
      pixels.fill(light * 255, (y * side + x) * 4, (y * side + x) * 4 + 3);
    }
  }
  return { pixels, side };
}
