import type { Recorder } from '../recorder.ts';

/** Accounts of Amazon Chime and their users. Operations that need a verified domain or an inventory of numbers are in `test/chime`. */
export async function chime({ of }: Recorder): Promise<undefined> {
  const { ok } = of('chime');
  const { Account } = await ok('CreateAccount', { Name: 'Example' });
  const { AccountId } = Account;
  await ok('GetAccount', { AccountId });
  await ok('ListAccounts', { Name: 'Exam' });
  await ok('UpdateAccount', { AccountId, Name: 'Renamed', DefaultLicense: 'Basic' });
  await ok('UpdateAccountSettings', { AccountId, AccountSettings: { DisableRemoteControl: true } });
  await ok('GetAccountSettings', { AccountId });
  await ok('InviteUsers', { AccountId, UserEmailList: ['ann@example.org'] });
  const { Users } = await ok('ListUsers', { AccountId });
  const { UserId } = Users[0];
  await ok('GetUser', { AccountId, UserId });
  await ok('UpdateUser', { AccountId, UserId, LicenseType: 'Pro' });
  await ok('BatchUpdateUser', { AccountId, UpdateUserRequestItems: [{ UserId, LicenseType: 'Basic' }, { UserId: AccountId }] });
  await ok('UpdateUserSettings', {
    AccountId,
    UserId,
    UserSettings: { Telephony: { InboundCalling: true, OutboundCalling: true, SMS: false } },
  });
  await ok('GetUserSettings', { AccountId, UserId });
  await ok('LogoutUser', { AccountId, UserId });
  await ok('BatchSuspendUser', { AccountId, UserIdList: [UserId] });
  await ok('DeleteAccount', { AccountId });
  await ok('SearchAvailablePhoneNumbers', { AreaCode: '206' });
  await ok('ListPhoneNumbers', {});
  await ok('ListPhoneNumberOrders', {});
  const voice = of('chime-sdk-voice');
  await voice.ok('SearchAvailablePhoneNumbers', { AreaCode: '206', PhoneNumberType: 'Local' });
  await voice.ok('ListPhoneNumbers', {});
  await voice.ok('ListPhoneNumberOrders', {});
  return undefined;
}
