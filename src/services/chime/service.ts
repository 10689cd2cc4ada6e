import type { OperatorKeys } from '#access/operator-keys.ts';
import { ownIssuerUrl } from '#access/own-issuer.ts';
import { CHIME_BOT, resealedBot } from '../chime-kit/chime-bots.ts';
import { CHIME_RETENTION } from '../chime-kit/chime-retention.ts';
import { sweepReleasedNumbers } from '../chime-kit/phone-number-sweep.ts';
import type { OwnedBuckets } from '../kit/owned-buckets.ts';
import { sealedKind, service } from '../kit/service.ts';
import type { ChimeDeps } from './deps.ts';
import { CHIME_DIRECTORY, resealedDirectory } from './directory-kind.ts';
import { DIRECTORY_PERSON } from './directory-people.ts';
import { refusedInvitations } from './invitations.ts';
import { messagesOfPeople } from './messages-of-people.ts';
import { CHIME_OPENID_CONFIG, resealedOpenId } from './openid-kind.ts';
import { PEOPLE_ROLE } from './people-role.ts';
import { endSessions, withdrawCredentials } from './person-sessions.ts';
import { sweepDueUsers } from './provisioned-users.ts';
import { RELEASED_DOMAIN, sweepReleasedDomains } from './released-domains.ts';
import { sweepRoomsWithoutChannel } from './room-channels.ts';
import { sweepDisabledAccounts, sweepSessions } from './sweep.ts';
import { sweepWebhooks } from './webhooks.ts';

/** Parts of the server that Amazon Chime needs. */
export interface ChimeParts extends Pick<ChimeDeps, 'vault' | 'postJson' | 'tryOutgoing' | 'supportAddress' | 'checkDirectory' | 'quotas'> {
  readonly operatorKeys: OperatorKeys;
  /** Returns the URL that clients use for this server. */
  readonly publicUrl: () => string;
  /** Loads the buckets of S3. */
  readonly loadOwnedBuckets: () => Promise<OwnedBuckets>;
}

/** Interval between two checks for domains whose look-up is due. */
const DOMAINS_EVERY_MS = 2_000;

/** Interval between two checks for directories whose synchronization is due. */
const DIRECTORIES_EVERY_MS = 2_000;

/** Amazon Chime: accounts with their users, rooms and bots. All but the bots have tables of their own. */
export const chime = service<ChimeParts>({
  name: 'chime',
  async operations({ operatorKeys, publicUrl, vault, postJson, tryOutgoing, loadOwnedBuckets, supportAddress, checkDirectory, quotas }) {
    const [ownedBuckets, { chimeOperations }, { derivedInvitationTokens }, { invitationPage }] = await Promise.all([
      loadOwnedBuckets(),
      import('./operations.ts'),
      import('./invitation-tokens.ts'),
      import('./invitations.ts'),
    ]);
    return chimeOperations({
      invitationTokens: derivedInvitationTokens(operatorKeys),
      issuerUrl: (accountId) => ownIssuerUrl(publicUrl(), accountId),
      invitationUrl: invitationPage(publicUrl),
      vault,
      postJson,
      tryOutgoing,
      ownedBuckets,
      supportAddress,
      checkDirectory,
      quotas,
      scimUrl: () => `${publicUrl()}/_belfry/scim/v2`,
      openIdCallback: (chimeAccountId) => `${publicUrl()}/chime/callback/${chimeAccountId}`,
    });
  },
  kinds: [CHIME_BOT, CHIME_RETENTION, PEOPLE_ROLE, CHIME_OPENID_CONFIG, CHIME_DIRECTORY, DIRECTORY_PERSON, RELEASED_DOMAIN],
  sealed: [
    sealedKind(CHIME_BOT, resealedBot),
    sealedKind(CHIME_OPENID_CONFIG, resealedOpenId),
    sealedKind(CHIME_DIRECTORY, resealedDirectory),
  ],
  sweeps: [
    () => sweepRoomsWithoutChannel,
    () => sweepDisabledAccounts,
    () => sweepSessions,
    () => sweepReleasedNumbers,
    () => sweepDueUsers,
    () => sweepWebhooks,
    () => sweepReleasedDomains,
  ],
  tasks: [
    {
      name: 'look-ups of domains',
      everyMs: DOMAINS_EVERY_MS,
      load: async ({ lookUpTxt }) => (await import('./domain-checks.ts')).domainChecks(lookUpTxt),
    },
    {
      name: 'synchronization with directories',
      everyMs: DIRECTORIES_EVERY_MS,
      load: async (parts) => (await import('./directory-sync.ts')).directorySync(parts),
    },
  ],
  subscriptions: [refusedInvitations, endSessions, withdrawCredentials, messagesOfPeople],
  rules: async () => (await import('./rules.ts')).CHIME_RULES,
});
