/** The operator's commands for accounts. Each change is recorded in the trail of its account. */
import type { AccountId } from '#core/arn.ts';
import { toBase32 } from '#core/base32.ts';
import type { Instant } from '#core/instant.ts';
import type { Vault } from '#core/vault.ts';
import type { AccountRecord } from '#store/identity/identity.ts';
import type { Store } from '#store/store.ts';
import { serviceEventRow } from '#trail/service-event.ts';
import { makeAccount, makeAdministrator, type NewAdministrator, newAccountId, newAdministrator, type Random } from '../core/first-start.ts';
import type { Log } from '../log.ts';

/** Dependencies of the commands for accounts. */
export interface AccountParts {
  readonly store: Store;
  readonly vault: Vault;
  readonly region: string;
  readonly now: () => Instant;
  readonly newId: () => string;
  readonly random: Random;
  readonly report: Log;
}

type Refused = { readonly ok: false; readonly error: string };
type Created = { readonly ok: true; readonly administrator: NewAdministrator } | Refused;

export interface OperatorAccounts {
  /** Creates an account with its root user and an administrator `admin`. */
  create(name: unknown): Promise<Created>;
  /** Lists all accounts in the order of their creation. */
  list(): Promise<{ readonly ok: true; readonly accounts: readonly { readonly accountId: string; readonly name: string }[] }>;
  /** Break-glass: creates an administrator for an account, regardless of the account's policies. */
  restoreAdministrator(accountId: AccountId): Promise<Created>;
  /** Lets an account that an organization created leave the organization. */
  makeStandalone(accountId: AccountId): Promise<{ readonly ok: true } | Refused>;
}

const EVENT_SOURCE = 'belfry.operator';
const NAME_MAX = 50;

/** Returns the trail row that records a command of the operator. */
export function operatorEvent(
  { region, now, newId }: Pick<AccountParts, 'region' | 'now' | 'newId'>,
  accountId: AccountId,
  eventName: string,
  details: Readonly<Record<string, unknown>>,
) {
  return serviceEventRow({
    accountId,
    region,
    now: now(),
    eventId: newId(),
    eventName,
    eventSource: EVENT_SOURCE,
    invokedBy: 'operator',
    details,
  });
}

/** Number of accounts that one transaction reads. Other requests run between two transactions. */
const AT_ONCE = 50;

/** Returns the IDs of all accounts in pages. One transaction reads one page. */
export async function* pagesOfAccounts(store: Store): AsyncGenerator<readonly AccountId[]> {
  for (let after: AccountId | undefined; ; ) {
    const last = after;
    const page = await store.transaction((tx) => tx.identity.accountIds(AT_ONCE, last));
    if (page.length > 0) yield page;
    if (page.length < AT_ONCE) return;
    after = page.at(-1);
  }
}

/** Creates the commands for accounts. */
export function operatorAccounts(parts: AccountParts): OperatorAccounts {
  const { store, vault, random, now } = parts;
  const absent = (accountId: string): Refused => ({ ok: false, error: `account '${accountId.slice(0, 20)}' does not exist` });

  return {
    async create(name) {
      if (typeof name !== 'string' || name.length < 1 || name.length > NAME_MAX)
        return { ok: false, error: `an account name must have 1 to ${NAME_MAX} characters` };
      const administrator = newAdministrator(newAccountId(random), 'admin', random);
      const { accountId, userName, accessKeyId } = administrator;
      await store.transaction(async (tx) => {
        if ((await tx.identity.get(accountId, 'account', accountId)) !== undefined)
          throw new Error('the new account ID is in use; try again');
        await makeAccount(tx, { vault, random, now: now() }, administrator, name);
        const details = { accountName: name, administrator: userName, accessKeyId };
        await tx.trail.append(operatorEvent(parts, accountId, 'CreateAccount', details));
      });
      return { ok: true, administrator };
    },
    async list() {
      const accounts: AccountRecord[] = [];
      for await (const accountIds of pagesOfAccounts(store)) {
        const page = await store.transaction(async ({ identity }) => {
          const found: (AccountRecord | undefined)[] = [];
          for (const accountId of accountIds) found.push(await identity.get(accountId, 'account', accountId));
          return found;
        });
        accounts.push(...page.filter((account) => account !== undefined));
      }
      accounts.sort((a, b) => a.createdAt - b.createdAt);
      return { ok: true, accounts: accounts.map(({ accountId, name }) => ({ accountId, name })) };
    },
    async restoreAdministrator(accountId) {
      const administrator = newAdministrator(accountId, `break-glass-${toBase32(random(5)).toLowerCase()}`, random);
      const { userName, accessKeyId } = administrator;
      const isRestored = await store.transaction(async (tx) => {
        if ((await tx.identity.get(accountId, 'account', accountId)) === undefined) return false;
        await makeAdministrator(tx, { vault, random, now: now() }, administrator);
        const details = { breakGlass: true, administrator: userName, accessKeyId };
        await tx.trail.append(operatorEvent(parts, accountId, 'RestoreAdministrator', details));
        return true;
      });
      if (!isRestored) return absent(accountId);
      parts.report(`break-glass: the operator created the administrator '${userName}' in account '${accountId}'`);
      return { ok: true, administrator };
    },
    async makeStandalone(accountId) {
      const isFound = await store.transaction(async (tx) => {
        const account = await tx.identity.get(accountId, 'account', accountId);
        if (account === undefined) return false;
        await tx.identity.put(accountId, 'account', accountId, { ...account, standalone: true });
        await tx.trail.append(operatorEvent(parts, accountId, 'MakeAccountStandalone', {}));
        return true;
      });
      return isFound ? { ok: true } : absent(accountId);
    },
  };
}
