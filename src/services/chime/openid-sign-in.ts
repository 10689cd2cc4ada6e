/** People that an OpenID provider signs in. The pages exchange the code for claims (`server/sign-in/people/openid.ts`). */
import type { AccountId } from '#core/arn.ts';
import { isMailAddress } from '#core/mail-address.ts';
import type { Vault } from '#core/vault.ts';
import type { License } from '#model/generated/chime.ts';
import type { Tx } from '#store/store.ts';
import type { ChimeAccountEvent } from '../chime-kit/account-events.ts';
import { ensureChimeUsers } from '../chime-kit/chime-app-instance.ts';
import { bindEntry, type DirectoryEntry, followEntry } from './directory-people.ts';
import { CHIME_OPENID_CONFIG, openClientSecret, openIdKey } from './openid-kind.ts';
import { newPin } from './personal-pin.ts';
import { admissionOf, applyUser, bestLicense, joiningUser } from './provisioned-users.ts';
import { type RegisteringWork, storeRegistered } from './registration.ts';
import { type AccountRecord, accounts } from './tables/accounts.ts';
import { domains } from './tables/domains.ts';
import { GROUPS_AT_ONCE, type LicensedGroupRecord, licensedGroups } from './tables/licensed-groups.ts';
import { type UserRecord, users } from './tables/users.ts';
import { domainOf, isName } from './texts.ts';

/** Most groups of a claim that are read. Assumed. */
const GROUPS_MAX = 500;

/** Account whose provider signs in a person. */
export interface ProviderOfAccount {
  readonly accountId: AccountId;
  readonly chimeAccountId: string;
  /** `providerId` of the account. */
  readonly providerId: string;
}

/** OpenID provider of an account, with the secret of its client. */
export interface OpenIdProvider extends ProviderOfAccount {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string | undefined;
}

/** Returns the OpenID provider that signs in the people of a domain. `email` is in lower case. A text that is not an address has none. */
export async function openIdProviderFor(tx: Tx, vault: Pick<Vault, 'open'>, email: string): Promise<OpenIdProvider | undefined> {
  if (!isMailAddress(email)) return undefined;
  const claim = await tx.of(domains).owner(domainOf(email));
  const account = claim === undefined ? undefined : await tx.of(accounts).get(claim.accountId, claim.chimeAccountId);
  return account === undefined ? undefined : await providerOf(tx, vault, account);
}

/** Returns the OpenID provider of an account. Returns undefined if it is another one than `providerId`. */
export async function openIdProviderOf(
  tx: Tx,
  vault: Pick<Vault, 'open'>,
  { accountId, chimeAccountId, providerId }: ProviderOfAccount,
): Promise<OpenIdProvider | undefined> {
  const account = await tx.of(accounts).get(accountId, chimeAccountId);
  const provider = account === undefined ? undefined : await providerOf(tx, vault, account);
  return provider?.providerId === providerId ? provider : undefined;
}

async function providerOf(tx: Tx, vault: Pick<Vault, 'open'>, account: AccountRecord): Promise<OpenIdProvider | undefined> {
  const { accountId, chimeAccountId, accountType, disabledAt, document } = account;
  if (accountType !== 'EnterpriseOIDC' || disabledAt !== undefined || document.providerId === undefined) return undefined;
  const config = await tx.resources.get(CHIME_OPENID_CONFIG, openIdKey(account));
  if (config === undefined) return undefined;
  const { Issuer, ClientId } = config.document;
  const clientSecret = openClientSecret(vault, config);
  return { accountId, chimeAccountId, providerId: document.providerId, issuer: Issuer, clientId: ClientId, clientSecret };
}

/** Claims that a provider has signed, or has returned from its endpoint for them. */
export type Claims = Readonly<Record<string, unknown>>;

/** Person that a provider has signed in. */
export interface ClaimedPerson {
  readonly email: string;
  readonly user: UserRecord;
  /** Licensed groups that admit the person. Absent if the provider has provisioned the person by SCIM. */
  readonly groupIds?: readonly string[] | undefined;
}

/** Person that cannot sign in, with the reason for the trail. */
export interface RefusedPerson {
  readonly reason: string;
  readonly user?: UserRecord | undefined;
}

/**
 * Registers a person at the first sign-in, and updates the license at later ones. Without SCIM, the claim `groups` decides: a person in no
 * licensed group is suspended.
 *
 * Source: Administration Guide, "Connecting to Okta SSO"; chime.md §2, rows 4 and 9. Assumed: the claims `email`, `name` and `groups`. An address
 * whose `email_verified` is not true is refused. A provider that omits this claim is trusted, because an administrator has chosen it for the
 * domain. The text 'true' counts as true, because some providers send texts.
 *
 * `entry` is the entry of a person that a directory signs in. A provider cannot claim one.
 * Emits: ChimeUserRegistered, ChimeUserSuspended, ChimeUserUnsuspended.
 */
export async function signInClaimed(
  work: RegisteringWork,
  { accountId, chimeAccountId }: ProviderOfAccount,
  claims: Claims,
  entry?: DirectoryEntry,
): Promise<ClaimedPerson | RefusedPerson> {
  const { tx } = work;
  const account = await tx.of(accounts).get(accountId, chimeAccountId);
  const address = claims['email'];
  if (account === undefined || typeof address !== 'string' || !isMailAddress(address) || !isVerified(claims['email_verified']))
    return { reason: 'The provider returned no verified address' };
  const email = address.toLowerCase();
  if (!(account.document.Domains ?? []).includes(domainOf(email))) return { reason: 'The domain of the address is not verified' };
  if (entry !== undefined && (await followEntry(work, account, { ...entry, email, address })) === 'taken')
    return { reason: 'The address belongs to a user with another entry of the directory' };
  const admission = await admissionOf(tx, account, email);
  const groups = admission === 'not-provisioned' ? await claimedGroups(work, account, claims['groups']) : undefined;
  const license = groups === undefined ? undefined : bestLicense(groups.map((group) => group.license));
  if (admission === 'refused' || (groups !== undefined && license === undefined)) {
    const user = await tx.of(users).getByEmail(chimeAccountId, email);
    if (groups !== undefined && user !== undefined) await suspend(work, user);
    return { reason: 'The user is disabled, or in no licensed group', user };
  }
  if (license === undefined) await applyUser(work, account, email);
  else await register(work, account, { email, address, license, displayName: nameIn(claims, address) });
  const user = await withPin(work, await tx.of(users).getByEmail(chimeAccountId, email));
  if (user === undefined || !user.isMember) return { reason: 'The person is a user of another account' };
  const bound = entry?.entryId === undefined ? user : await bindEntry(work, account, user, entry.entryId);
  return { email, user: bound, groupIds: groups?.map(({ groupId }) => groupId) };
}

function isVerified(claim: unknown): boolean {
  return claim === undefined || claim === true || claim === 'true';
}

/** Returns the licensed groups of a claim, and notes that the provider has reported them. */
async function claimedGroups(
  { tx, now }: RegisteringWork,
  account: AccountRecord,
  claim: unknown,
): Promise<readonly LicensedGroupRecord[]> {
  const list: readonly unknown[] = Array.isArray(claim) ? claim : [claim];
  const names = [...new Set(list.slice(0, GROUPS_MAX).filter((name): name is string => typeof name === 'string' && isName(name)))];
  const found: LicensedGroupRecord[] = [];
  for (let at = 0; at < names.length; at += GROUPS_AT_ONCE) {
    const some = await tx.of(licensedGroups).named(account.chimeAccountId, names.slice(at, at + GROUPS_AT_ONCE));
    const unreported = some.filter(({ reportedAt }) => reportedAt === undefined).map(({ groupName }) => groupName);
    await tx.of(licensedGroups).report(account.chimeAccountId, unreported, now);
    found.push(...some);
  }
  return found;
}

async function suspend({ tx, emit }: RegisteringWork, user: UserRecord): Promise<void> {
  if (user.registrationStatus !== 'Registered') return;
  const { accountId, chimeAccountId, userId } = user;
  await tx.of(users).put({ ...user, registrationStatus: 'Suspended' });
  await emit<ChimeAccountEvent>({ type: 'ChimeUserSuspended', accountId, chimeAccountId, userIds: [userId] });
}

interface Admitted {
  readonly email: string;
  readonly address: string;
  readonly license: License;
  readonly displayName: string;
}

async function register(work: RegisteringWork, account: AccountRecord, { email, address, license, displayName }: Admitted): Promise<void> {
  const { accountId, chimeAccountId } = account;
  const user = await work.tx.of(users).getByEmail(chimeAccountId, email);
  const document = { ...user?.document, PrimaryEmail: address, DisplayName: displayName };
  if (user?.isMember === true) {
    await work.tx.of(users).put({ ...user, registrationStatus: 'Registered', licenseType: license, document });
    if (user.document.DisplayName !== displayName) await ensureChimeUsers(work, accountId, [{ userId: user.userId, name: displayName }]);
    if (user.registrationStatus !== 'Registered')
      await work.emit<ChimeAccountEvent>({ type: 'ChimeUserUnsuspended', accountId, chimeAccountId, userIds: [user.userId] });
    return;
  }
  if ((await work.tx.of(users).memberWithEmail(email)) !== undefined) return;
  await storeRegistered(work, await joiningUser(work, account, { email, user, license, document }), user !== undefined);
}

/** Gives a user a PIN at the first sign-in. */
async function withPin(work: RegisteringWork, user: UserRecord | undefined): Promise<UserRecord | undefined> {
  if (user === undefined || user.personalPin !== undefined || !user.isMember) return user;
  const changed: UserRecord = { ...user, personalPin: await newPin(work) };
  await work.tx.of(users).put(changed);
  return changed;
}

function nameIn(claims: Claims, address: string): string {
  const name = claims['name'];
  return typeof name === 'string' && isName(name) ? name : address.slice(0, address.lastIndexOf('@'));
}
