import { type Instant, instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { ChimeApi, Domain } from '#model/generated/chime.ts';
import type { ChimeAccountEvent } from '../chime-kit/account-events.ts';
import { storeRetention } from '../chime-kit/chime-retention.ts';
import { pageOf } from '../chime-kit/page.ts';
import type { Work } from '../kit/events.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import { isManaged } from './account-types.ts';
import { endCredentials } from './end-credentials.ts';
import { AwsError } from './errors.ts';
import { withoutProvider } from './providers.ts';
import { releaseManaged } from './released-domains.ts';
import { accountOrNotFound, conflict, type Finder } from './stored-accounts.ts';
import { type AccountRecord, accounts } from './tables/accounts.ts';
import { type DomainRecord, domains } from './tables/domains.ts';
import { personSessions } from './tables/people.ts';
import { scimUsers } from './tables/scim.ts';
import { users } from './tables/users.ts';

/** Most claims of an account. Assumed. */
const CLAIMS_MAX = 100;
const SECRET_BYTES = 24;
/** Time between two look-ups of a domain that GetDomain causes. */
const BETWEEN_LOOKUPS_MS = 3_000;

/**
 * Domains that an account claims with a TXT record.
 *
 * Source: Administration Guide, "Claiming a domain": a TXT record with a name and a value from the service, up to 24 hours, one claim for each
 * subdomain. Service Authorization Reference: the actions. Assumed: inputs, outputs, the name and the value of the record.
 */
export const domainOperations = {
  /**
   * Claims a domain. The server looks for its TXT record in the background (`domain-checks.ts`).
   *
   * Source: CloudTrail example of the Administration Guide: the message of the Conflict. Assumed: the account's own claim is a Conflict too.
   * @throws NotFoundException               the account does not exist
   * @throws ConflictException               the account claims the domain already, or another account has verified it
   * @throws ResourceLimitExceededException  the account has 100 claims
   */
  AddDomain: {
    async handle(call, { AccountId, DomainName }) {
      const domain = DomainName.toLowerCase();
      const { accountId, chimeAccountId } = await accountOrNotFound(call, AccountId);
      const repository = call.tx.of(domains);
      if ((await repository.owner(domain)) !== undefined) throw conflict();
      const claim: DomainRecord = {
        chimeAccountId,
        domain,
        accountId,
        recordValue: `belfry-chime-domain=${Buffer.from(call.random(SECRET_BYTES)).toString('base64url')}`,
        isVerified: false,
        createdAt: call.now,
        failures: 0,
        dueAt: call.now,
      };
      if ((await repository.add(claim)) === 'exists') throw conflict();
      if ((await repository.count(chimeAccountId)) > CLAIMS_MAX)
        throw new AwsError('ResourceLimitExceededException', `An account can claim at most ${CLAIMS_MAX} domains.`);
      return { Domain: toDomain(claim) };
    },
  },

  /**
   * Returns a claim. If it is pending, the server looks for the record soon, also after 24 hours.
   *
   * @throws NotFoundException  the account does not exist, or does not claim the domain
   */
  GetDomain: {
    async handle(call, input) {
      const { claim } = await claimOrNotFound(call, input);
      if (claim.isVerified) return { Domain: toDomain(claim) };
      const soon = Math.max(call.now, (claim.checkedAt ?? 0) + BETWEEN_LOOKUPS_MS);
      const dueAt = instant(Math.min(claim.dueAt ?? soon, soon));
      if (dueAt !== claim.dueAt) await call.tx.of(domains).put({ ...claim, dueAt });
      return { Domain: toDomain(claim) };
    },
  },

  /** Lists the claims of an account by domain. @throws NotFoundException  the account does not exist · BadRequestException  the token is invalid */
  ListDomains: {
    async handle(call, input) {
      const { chimeAccountId } = await accountOrNotFound(call, input.AccountId);
      const { items, rest } = await pageOf(
        `ListDomains ${chimeAccountId}`,
        input,
        (limit, after) => call.tx.of(domains).list(chimeAccountId, limit, after),
        ({ domain }) => domain,
      );
      return { Domains: items.map(toDomain), ...rest };
    },
  },

  /**
   * Releases a domain. If it was verified, the users with an address in it are signed out at once. Registered users leave the account, and can
   * register again. Suspended users stay suspended. Invitations to these addresses end. Without a domain, the account is a Team account again, whose
   * messages stay. The sweep deletes users that a directory or an OpenID provider managed.
   *
   * Source: Administration Guide, "Removing a domain"; Help Center, article 514; chime.md §2, rows 10 and 11. Chime API reference, DeleteAccount:
   * the release of the domain suspends all users. Assumed: (1) so it also suspends those who never registered; without a status, their
   * invitation differs from one that an administrator suspended. (2) The last domain ends the retention, because only Enterprise accounts have one.
   * @throws NotFoundException  the account does not exist, or does not claim the domain
   * Emits: ChimeDomainReleased, if the domain was verified.
   */
  DeleteDomain: {
    async handle(call, input) {
      const { account, claim } = await claimOrNotFound(call, input);
      await call.tx.of(domains).remove(claim.chimeAccountId, claim.domain);
      if (claim.isVerified) await release(call, account, claim.domain);
      return {};
    },
  },
} satisfies Partial<ServiceOperations<ChimeApi>>;

async function claimOrNotFound(
  call: Finder,
  { AccountId, DomainName }: { readonly AccountId: string; readonly DomainName: string },
): Promise<{ readonly account: AccountRecord; readonly claim: DomainRecord }> {
  const account = await accountOrNotFound(call, AccountId);
  const claim = await call.tx.of(domains).get(account.chimeAccountId, DomainName.toLowerCase());
  if (claim === undefined) throw new AwsError('NotFoundException', `Could not find Domain '${DomainName.toLowerCase()}'`);
  return { account, claim };
}

/** Returns the name of the TXT record of a domain. */
export function recordName(domain: string): string {
  return `_belfry-chime.${domain}`;
}

function toDomain({
  chimeAccountId,
  domain,
  isVerified,
  recordValue,
  createdAt,
  verifiedAt,
  checkedAt,
  checkResult,
}: DomainRecord): Domain {
  return omitUndefined({
    AccountId: chimeAccountId,
    DomainName: domain,
    DomainStatus: isVerified ? ('Verified' as const) : ('PendingVerification' as const),
    RecordName: recordName(domain),
    RecordValue: recordValue,
    CreatedTimestamp: createdAt,
    VerifiedTimestamp: verifiedAt,
    CheckedTimestamp: checkedAt,
    CheckResult: checkResult,
  });
}

/** Gives an account a verified domain. A Team account becomes an EnterpriseLWA account. */
export async function addVerified({ tx }: Pick<Work, 'tx'>, account: AccountRecord, claim: DomainRecord, now: Instant): Promise<void> {
  await tx.of(domains).put({ ...omitDue(claim), isVerified: true, verifiedAt: now, checkedAt: now, checkResult: 'Found' });
  const { Domains = [] } = account.document;
  await tx.of(accounts).put({
    ...account,
    accountType: account.accountType === 'Team' ? 'EnterpriseLWA' : account.accountType,
    document: { ...account.document, Domains: [...Domains, claim.domain] },
  });
}

/** Returns a claim without a planned look-up. */
export function omitDue({ dueAt: _dueAt, ...claim }: DomainRecord): DomainRecord {
  return claim;
}

/** Ends the effect of a verified domain of an account. A directory or an OpenID provider has no users without the domain. */
async function release({ tx, now, emit }: Pick<Work, 'tx' | 'now' | 'emit'>, account: AccountRecord, domain: string): Promise<void> {
  const { accountId, chimeAccountId } = account;
  await endCredentials(tx, await tx.of(personSessions).removeOfDomain(chimeAccountId, domain));
  if (isManaged(account)) await releaseManaged({ tx, now }, { accountId, chimeAccountId, domain });
  else await tx.of(users).releaseOfDomain(chimeAccountId, domain);
  await tx.of(scimUsers).removeOfDomain(chimeAccountId, domain);
  const left = (account.document.Domains ?? []).filter((each) => each !== domain);
  const kept = left.length === 0 ? { ...(await withoutProvider({ tx }, account)), accountType: 'Team' as const } : account;
  const { Domains: _before, ...rest } = kept.document;
  if (left.length > 0) await tx.of(accounts).put({ ...kept, document: { ...rest, Domains: left } });
  else {
    // A Team account has no retention, and its administrator could not turn it off.
    const { RetentionSettings: _settings, retentionSetAt: _setAt, ...document } = rest;
    await tx.of(accounts).put({ ...kept, document });
    await storeRetention({ tx, now }, account, {});
  }
  await emit<ChimeAccountEvent>({ type: 'ChimeDomainReleased', accountId, chimeAccountId, domain });
}
