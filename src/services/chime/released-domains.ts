/** Users of released domains, which a directory or an OpenID provider managed. The sweep deletes them, because they can be many. */
import { type AccountId, NO_ACCOUNT } from '#core/arn.ts';
import type { ResourceKind, ResourcePlace } from '#store/resources.ts';
import type { Work } from '../kit/events.ts';
import { deleteUser } from './provisioned-users.ts';
import { USERS_MAX, users } from './tables/users.ts';

/** Released domain whose users are not deleted yet. */
export interface ReleasedDomain {
  readonly accountId: AccountId;
  readonly chimeAccountId: string;
  readonly domain: string;
}

/** Released domains of all AWS accounts in one place, so that the sweep finds one by a list of one row. */
export const RELEASED_DOMAIN: ResourceKind<ReleasedDomain> = { name: 'chime-released-domain' };
const PLACE: ResourcePlace = { accountId: NO_ACCOUNT, region: '', parent: '' };

/** Ends the membership of all users with an address in a domain of an account. The sweep deletes them. */
export async function releaseManaged({ tx, now }: Pick<Work, 'tx' | 'now'>, document: ReleasedDomain): Promise<void> {
  const { chimeAccountId, domain } = document;
  await tx.of(users).endOfDomain(chimeAccountId, domain);
  const record = { ...PLACE, id: `${chimeAccountId} ${domain}`, createdAt: now, updatedAt: now, tags: [], document };
  await tx.resources.add(RELEASED_DOMAIN, record);
}

/**
 * Deletes at most 50 users of a released domain, who leave all rooms and lose their phone numbers. Users that were invited or registered again
 * since the release stay.
 *
 * Emits: ChimeUsersForgotten.
 */
export async function sweepReleasedDomains(work: Work): Promise<'more' | 'done'> {
  const { tx } = work;
  const [released] = await tx.resources.list(RELEASED_DOMAIN, PLACE, 1);
  if (released === undefined) return 'done';
  const { chimeAccountId, domain } = released.document;
  const ended = await tx.of(users).endedOfDomain(chimeAccountId, domain, USERS_MAX);
  for (const user of ended) await deleteUser(work, user);
  if (ended.length < USERS_MAX) await tx.resources.remove(RELEASED_DOMAIN, released);
  return 'more';
}
