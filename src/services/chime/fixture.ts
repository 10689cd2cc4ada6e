/** Fixture of the tests in this folder: the operations on a real store, by default in memory. */
import { openVault } from '#access/vault.ts';
import type { AccountId } from '#core/arn.ts';
import type { AccountType, ChimeApi, User } from '#model/generated/chime.ts';
import type { Store } from '#store/store.ts';
import type { ChimeAccountEvent } from '../chime-kit/account-events.ts';
import { DEFAULT_QUOTAS } from '../chime-kit/quotas.ts';
import type { ChimeRoomEvent } from '../chime-kit/room-events.ts';
import { ACCOUNT, type As, callOf, openOperations, type Run } from '../kit/fixture.ts';
import { invitationTokens } from './invitation-tokens.ts';
import { chimeOperations } from './operations.ts';
import { type Registration, registerUser } from './registration.ts';
import { accounts } from './tables/accounts.ts';
import type { UserRecord } from './tables/users.ts';

export { ACCOUNT, OTHER_ACCOUNT, START } from '../kit/fixture.ts';

/** Endpoints that answer the challenge, and requests that were sent to endpoints. */
export const ENDPOINT = 'https://bot.example.com/events';
export const posted: (readonly [url: string, body: object])[] = [];

export const TOKENS = invitationTokens([new Uint8Array(32).fill(7)]);
export const OPERATIONS = chimeOperations({
  vault: openVault([new Uint8Array(32).fill(7)]),
  async postJson(url, body) {
    posted.push([url, body]);
    return url === ENDPOINT ? { Challenge: (body as { readonly Challenge: string }).Challenge } : { Challenge: '00000000000000000000' };
  },
  tryOutgoing: async (_tx, { accountId, target }) => {
    const isDryRun = target.kind === 'lambda' && target.dryRun === true;
    return async () => isDryRun && accountId === ACCOUNT && target.arn.endsWith(':works');
  },
  invitationTokens: TOKENS,
  issuerUrl: (accountId) => `https://chime.example.org/chime/openid/${accountId}`,
  invitationUrl: (token) => `https://chime.example.org/chime/invitation#${token}`,
  ownedBuckets: {
    owns: async (_tx, accountId, bucket) => accountId === ACCOUNT && bucket === 'records',
    get: async () => undefined,
    list: async () => [],
    create: async () => {},
    remove: async () => {},
  },
  supportAddress: 'support@example.org',
  checkDirectory: async ({ url }) => (url === 'ldaps://dc.example.com' ? undefined : 'The directory cannot be reached.'),
  quotas: DEFAULT_QUOTAS,
  scimUrl: () => 'https://chime.example.org/_belfry/scim/v2',
  openIdCallback: (chimeAccountId) => `https://chime.example.org/chime/callback/${chimeAccountId}`,
});

export interface Fixture {
  readonly store: Store;
  readonly emitted: (ChimeAccountEvent | ChimeRoomEvent)[];
  readonly run: Run<ChimeApi>;
  /** Creates an account. Resolves to its ID. */
  account(name?: string, as?: As): Promise<string>;
  /** Gives an account the type that it gets from a domain, a directory or an OpenID provider. Its domain is `example.com`. */
  become(chimeAccountId: string, accountType: AccountType): Promise<void>;
  register(chimeAccountId: string, emailAddress: string, as?: As, more?: Partial<Registration>): Promise<UserRecord>;
  /** Invites people, who register at once. Resolves to their IDs. */
  people(chimeAccountId: string, ...names: readonly string[]): Promise<readonly string[]>;
  user(chimeAccountId: string, userId: string): Promise<User>;
}

/** Opens the operations, by default on an empty store in memory. */
export async function openFixture(opened?: Store): Promise<Fixture> {
  const emitted: Fixture['emitted'] = [];
  const { store, run } = await openOperations<ChimeApi>(OPERATIONS, emitted, opened);
  const fixture: Fixture = {
    store,
    emitted,
    run,
    async account(name = 'Example', as = {}) {
      return (await run('CreateAccount', { Name: name }, as)).Account?.AccountId as string;
    },
    become: (chimeAccountId, accountType) =>
      store.transaction(async (tx) => {
        const account = await tx.of(accounts).get(ACCOUNT, chimeAccountId);
        if (account === undefined) throw new Error('unknown account');
        const { Domains: _domains, ...rest } = account.document;
        const document = { ...rest, ...(accountType !== 'Team' && { Domains: ['example.com'] }) };
        await tx.of(accounts).put({ ...account, accountType, document });
      }),
    register: (chimeAccountId, emailAddress, as = {}, more = {}) =>
      store.transaction((tx) =>
        registerUser(callOf(tx, as, emitted), { accountId: (as.accountId ?? ACCOUNT) as AccountId, chimeAccountId, emailAddress, ...more }),
      ),
    async people(chimeAccountId, ...names) {
      const addresses = names.map((name) => `${name}@example.com`);
      await run('InviteUsers', { AccountId: chimeAccountId, UserEmailList: addresses });
      const ids: string[] = [];
      for (const address of addresses) ids.push((await fixture.register(chimeAccountId, address)).userId);
      return ids;
    },
    async user(chimeAccountId, userId) {
      return (await run('GetUser', { AccountId: chimeAccountId, UserId: userId })).User as User;
    },
  };
  return fixture;
}
